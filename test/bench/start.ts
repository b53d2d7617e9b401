/**
 * Times the start of containers against bare Apptainer, in a private host:
 *
 *   deno task bench [--json FILE] [--runs N]
 *
 * Commands are run in turn and compared pair by pair, so that a change of the machine's speed meets
 * both. Figures are medians; those with a bound say whether it is kept.
 */
import { parseArgs } from "@std/cli/parse-args";
import { apptainerEnv, images, Internet, PrivateHost } from "../harness/mod.ts";
import { differences, median, ratios } from "./_statistics.ts";

/** A figure of the report. */
interface Figure {
  readonly name: string;
  readonly unit: "ms" | "ratio" | "MB";
  /** The median. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** How many were taken. */
  readonly runs: number;
  /** What it may be at most. */
  readonly bound?: number;
}

const HPKTAINER = Deno.env.get("HPKTAINER") ??
  new URL("../../dist/hpktainer", import.meta.url).pathname;
const STATIC = ["--subnet", "10.96.0.0/24"];
const CROWD = 50;
const LEAST_RUNS = 10;

const options = parseArgs(Deno.args, { string: ["json", "runs"], default: { runs: "15" } });
const runs = Math.max(LEAST_RUNS, Number(options.runs));

const { base } = await images();
await using internet = await Internet.create();
await using host = await PrivateHost.create();
await internet.attach(host, { address: "198.51.100.11/24" });

/** Times commands in turn; `copies` of each at once. */
async function time(commands: string[][], rounds: number, copies = 1): Promise<number[][]> {
  const script = new URL("./_time_commands.ts", import.meta.url).pathname;
  // What a start leaves to be released is released before the next is timed.
  const between = [HPKTAINER, "gc"];
  const words = [rounds, copies, between, commands].map((value) => JSON.stringify(value));
  const { stdout } = await host.run(Deno.execPath(), ["run", "-A", script, ...words], {
    env: apptainerEnv(),
    timeoutMs: 900_000,
  });
  return JSON.parse(stdout);
}

function figure(
  name: string,
  unit: Figure["unit"],
  values: readonly number[],
  bound?: number,
): Figure {
  const range = { least: Math.min(...values), most: Math.max(...values), runs: values.length };
  return {
    ...{ name, unit, median: median(values), ...range },
    ...(bound === undefined ? {} : { bound }),
  };
}

async function startFigures(alone: boolean): Promise<Figure[]> {
  const [ours, bare] = await time([
    [HPKTAINER, "exec", ...STATIC, base, "true"],
    ["apptainer", "exec", "--net", "--network", "none", base, "true"],
  ], runs) as [number[], number[]];
  const where = alone ? "the first container" : "beside another";
  return [
    figure(`apptainer exec --net --network none IMAGE true (${where})`, "ms", bare),
    figure(`hpktainer exec IMAGE true (${where})`, "ms", ours),
    figure(`  its difference (${where})`, "ms", differences(ours, bare), 80),
  ];
}

async function crowdFigures(): Promise<Figure[]> {
  const [ours, bare] = await time(
    [
      [HPKTAINER, "exec", ...STATIC, base, "true"],
      ["apptainer", "exec", "--net", "--network", "none", base, "true"],
    ],
    LEAST_RUNS,
    CROWD,
  ) as [number[], number[]];
  return [
    figure(`${CROWD} apptainer at once`, "ms", bare),
    figure(`${CROWD} hpktainer at once`, "ms", ours),
    figure("  its ratio", "ratio", ratios(ours, bare), 1.5),
  ];
}

async function passthroughFigures(): Promise<Figure[]> {
  const [version, ours, bare] = await time([
    [HPKTAINER, "--version"],
    [HPKTAINER, "inspect", base],
    ["apptainer", "inspect", base],
  ], runs) as [number[], number[], number[]];
  return [
    figure("hpktainer --version", "ms", version, 60),
    figure("apptainer inspect IMAGE", "ms", bare),
    figure("hpktainer inspect IMAGE", "ms", ours),
    figure("  its difference", "ms", differences(ours, bare), 60),
  ];
}

/** Resident memory of what is ours while containers run, in MB. */
async function memoryFigure(): Promise<Figure> {
  const { stdout } = await host.sh("cat /proc/[0-9]*/status");
  const ours = stdout.split(/^Name:\s*/m).filter((status) => status.startsWith("hpktainer\n"));
  const kilobytes = ours.map((status) => Number(/^VmRSS:\s*([0-9]+)/m.exec(status)?.[1]));
  return figure("memory of ours on the host, all containers together", "MB", [
    kilobytes.reduce((sum, value) => sum + value, 0) / 1000,
  ]);
}

const figures = [...await passthroughFigures(), ...await startFigures(true)];
await host.run(HPKTAINER, ["instance", "start", ...STATIC, base, "other"]);
figures.push(await memoryFigure(), ...await startFigures(false), ...await crowdFigures());
await host.run(HPKTAINER, ["instance", "stop", "other"]);

const rows = figures.map(({ name, unit, median, least, most, bound }) => {
  const number = (value: number) => value.toFixed(unit === "ratio" ? 2 : 1).padStart(8);
  const kept = bound === undefined ? "" : median <= bound ? `<= ${bound}` : `MORE THAN ${bound}`;
  return `${name.padEnd(66)}${number(median)} ${unit.padEnd(5)} [${number(least)} ..${
    number(most)
  }] ${kept}`;
});
console.log(`median [least .. most], runs: ${runs}, crowds: ${LEAST_RUNS}\n${rows.join("\n")}`);
const json = options.json ?? new URL("../../dist/bench-start.json", import.meta.url).pathname;
await Deno.writeTextFile(json, `${JSON.stringify({ version: 1, figures }, undefined, 2)}\n`);
