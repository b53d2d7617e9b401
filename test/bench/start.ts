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
import { type Figure, figureOf, report } from "./_figures.ts";
import { differences, ratios } from "./_statistics.ts";

const HPKTAINER = Deno.env.get("HPKTAINER") ??
  new URL("../../dist/hpktainer", import.meta.url).pathname;
/** What any program made by `deno compile` costs on this machine, to see the other figures by. */
const EMPTY = new URL("../../dist/host-setup", import.meta.url).pathname;
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

async function startFigures(alone: boolean): Promise<Figure[]> {
  const [ours, bare] = await time([
    [HPKTAINER, "exec", ...STATIC, base, "true"],
    ["apptainer", "exec", "--net", "--network", "none", base, "true"],
  ], runs) as [number[], number[]];
  const where = alone ? "the first container" : "beside another";
  return [
    figureOf(`apptainer exec --net --network none IMAGE true (${where})`, "ms", bare),
    figureOf(`hpktainer exec IMAGE true (${where})`, "ms", ours),
    figureOf(`  its difference (${where})`, "ms", differences(ours, bare), 80),
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
    figureOf(`${CROWD} apptainer at once`, "ms", bare),
    figureOf(`${CROWD} hpktainer at once`, "ms", ours),
    figureOf("  its ratio", "ratio", ratios(ours, bare), 1.5),
  ];
}

async function passthroughFigures(): Promise<Figure[]> {
  const [empty, version, ours, bare] = await time([
    [EMPTY, "--version"],
    [HPKTAINER, "--version"],
    [HPKTAINER, "inspect", base],
    ["apptainer", "inspect", base],
  ], runs) as [number[], number[], number[], number[]];
  return [
    figureOf("host-setup --version: the start of a program that does nothing", "ms", empty),
    figureOf("hpktainer --version", "ms", version, 60),
    figureOf("apptainer inspect IMAGE", "ms", bare),
    figureOf("hpktainer inspect IMAGE", "ms", ours),
    figureOf("  its difference", "ms", differences(ours, bare), 60),
  ];
}

/** Resident memory of what is ours while containers run, in MB. */
async function memoryFigure(): Promise<Figure> {
  const { stdout } = await host.sh("cat /proc/[0-9]*/status");
  const ours = stdout.split(/^Name:\s*/m).filter((status) => status.startsWith("hpktainer\n"));
  const kilobytes = ours.map((status) => Number(/^VmRSS:\s*([0-9]+)/m.exec(status)?.[1]));
  return figureOf("memory of ours on the host, all containers together", "MB", [
    kilobytes.reduce((sum, value) => sum + value, 0) / 1000,
  ]);
}

const figures = [...await passthroughFigures(), ...await startFigures(true)];
await host.run(HPKTAINER, ["instance", "start", ...STATIC, base, "other"]);
figures.push(await memoryFigure(), ...await startFigures(false), ...await crowdFigures());
await host.run(HPKTAINER, ["instance", "stop", "other"]);

const json = options.json ?? new URL("../../dist/bench-start.json", import.meta.url).pathname;
await report(figures, json, `runs: ${runs}, crowds: ${LEAST_RUNS}`);
