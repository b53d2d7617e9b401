/**
 * Attaches a thousand containers to one host, and times starts, `ps` and `gc` among them:
 *
 *   deno task bench:thousand [--json FILE] [--containers N]
 *
 * A program that sleeps replaces Apptainer: only our own work is timed.
 */
import { parseArgs } from "@std/cli/parse-args";
import { PrivateHost } from "../harness/mod.ts";
import { attachMany, endAll, prepare } from "./_many_containers.ts";
import { median } from "./_statistics.ts";

const HPKTAINER = Deno.env.get("HPKTAINER") ??
  new URL("../../dist/hpktainer", import.meta.url).pathname;
/** How many starts make a figure: of the first ones, of those about the tenth, of the last ones. */
const WINDOW = 11;
const RUNS = 11;

const options = parseArgs(Deno.args, {
  string: ["json", "containers"],
  boolean: ["verbose"],
  default: { containers: "1000" },
});
const count = Number(options.containers);

await using host = await PrivateHost.create();
await prepare(host);
const times = await attachMany(host, HPKTAINER, count);
if (options.verbose) console.log(times.map((t) => t.toFixed(0)).join(" "));
const tenth = median(times.slice(4, 4 + WINDOW));
const last = median(times.slice(-WINDOW));

/** Time of a command, in ms. */
async function time(...args: string[]): Promise<number> {
  const taken: number[] = [];
  for (let run = 0; run < RUNS; run++) taken.push((await host.run(HPKTAINER, args)).ms);
  return median(taken);
}

/** Processor time of the monitor so far, in ms (proc_pid_stat(5), fields 14 and 15). */
async function monitorTime(): Promise<number> {
  const { stdout } = await host.sh(
    "for pid in $(busybox pidof hpktainer); do cat /proc/$pid/stat; done; getconf CLK_TCK",
  );
  const lines = stdout.trim().split("\n");
  const ticks = lines.slice(0, -1).map((line) => {
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, one) => sum + one, 0) * 1000 / Number(lines.at(-1));
}

const watched = await monitorTime();
const ps = await time("ps", "--json");
const gc = await time("gc");
const listed = JSON.parse((await host.run(HPKTAINER, ["ps", "--json"])).stdout).containers.length;
const begin = performance.now();
await endAll(host);
// It waits for a bounded time for what the monitor is taking down.
do await host.run(HPKTAINER, ["gc"]); while (
  (await host.run("ls", ["-A", "/run/netns"], { check: false })).stdout !== ""
);
const released = performance.now() - begin;

const figures = [
  { name: `the 10th start (median of the 5th to the 15th)`, unit: "ms", value: tenth },
  { name: `the ${count}th start (median of the last ${WINDOW})`, unit: "ms", value: last },
  { name: "  its ratio", unit: "ratio", value: last / tenth, bound: 2 },
  { name: `ps --json with ${listed} containers`, unit: "ms", value: ps, bound: 300 },
  { name: `gc with ${listed} containers, all alive`, unit: "ms", value: gc, bound: 300 },
  { name: `processor time of the monitor, for each start`, unit: "ms", value: watched / count },
  { name: `the end of all at once, until gc returns`, unit: "ms", value: released },
];
for (const { name, unit, value, bound } of figures) {
  const kept = bound === undefined ? "" : value <= bound ? `<= ${bound}` : `MORE THAN ${bound}`;
  console.log(
    `${name.padEnd(56)}${value.toFixed(unit === "ms" ? 1 : 2).padStart(10)} ${unit} ${kept}`,
  );
}
const json = options.json ?? new URL("../../dist/bench-thousand.json", import.meta.url).pathname;
await Deno.writeTextFile(json, `${JSON.stringify({ version: 1, figures }, undefined, 2)}\n`);
