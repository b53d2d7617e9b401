/**
 * Times host-setup on a private host that is like a fresh EC2 instance:
 *
 *   deno task bench:host-setup [--json FILE] [--runs N]
 *
 * Figures are medians; those with a bound say whether it is kept. The rules of other programs stand in
 * the packet filter, and a hundred more, as on a host in use.
 */
import { parseArgs } from "@std/cli/parse-args";
import { Internet, PrivateHost } from "../harness/mod.ts";
import { median } from "./_statistics.ts";
import { timeInTurn } from "./_timing.ts";

const HOST_SETUP = Deno.env.get("HOST_SETUP") ??
  new URL("../../dist/host-setup", import.meta.url).pathname;
const LEAST_RUNS = 10;
const OTHER_RULES = 100;

const options = parseArgs(Deno.args, { string: ["json", "runs"], default: { runs: "15" } });
const runs = Math.max(LEAST_RUNS, Number(options.runs));

await using internet = await Internet.create();
await using host = await PrivateHost.create();
await internet.attach(host, { ifName: "enX0", address: "198.51.100.11/24" });
const golden = new URL("../host-setup/golden/foreign.rules", import.meta.url);
const more = Array.from(
  { length: OTHER_RULES },
  (_, index) => `-A admin -s 192.0.2.${index}/32 -j ACCEPT\n`,
);
await host.run("iptables-restore", [], {
  stdin: Deno.readTextFileSync(golden).replace(/^(-A DOCKER-USER.*\n)/m, `$1${more.join("")}`),
});

/** Times a command, and runs another one untimed after each. */
async function time(command: string[], between: string[]): Promise<number[]> {
  const plan = { rounds: runs, between, commands: [{ words: command }] };
  return (await timeInTurn(host, plan))[0]!;
}

const act = (name: string) => [HOST_SETUP, name, "--no-packages"];

const measured: [string, number | undefined, number[]][] = [
  [
    "host-setup --version: the start of the program",
    undefined,
    await time([HOST_SETUP, "--version"], ["true"]),
  ],
  [
    "host-setup --apply --no-packages, a fresh host",
    1500,
    await time(act("--apply"), act("--undo")),
  ],
];
await host.run(HOST_SETUP, ["--apply", "--no-packages"]);
measured.push(
  ["host-setup --check, a ready host", 300, await time(act("--check"), ["true"])],
  ["host-setup --apply, a ready host", undefined, await time(act("--apply"), ["true"])],
);

const figures = measured.map(([name, bound, values]) => ({
  name,
  unit: "ms",
  median: median(values),
  least: Math.min(...values),
  most: Math.max(...values),
  runs: values.length,
  ...(bound === undefined ? {} : { bound }),
}));
console.log(`median [least .. most] of ${runs} runs, in ms`);
for (const { name, median, least, most, bound } of figures) {
  const kept = bound === undefined ? "" : median <= bound ? `<= ${bound}` : `MORE THAN ${bound}`;
  const [middle, low, high] = [median, least, most].map((value) => value.toFixed(1).padStart(7));
  console.log(`${name.padEnd(50)}${middle} [${low} ..${high}] ${kept}`);
}
const json = options.json ?? new URL("../../dist/bench-host-setup.json", import.meta.url).pathname;
await Deno.writeTextFile(json, `${JSON.stringify({ version: 1, figures }, undefined, 2)}\n`);
