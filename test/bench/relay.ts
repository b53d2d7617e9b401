/**
 * Measures the relay against the kernel's own way and others, all rows in one run:
 *
 *   deno task bench:relay              writes the table and plot of packages/net-daemon/README.md
 *   HPK_BENCH_RUNS=5 HPK_BENCH_SECONDS=1 HPK_BENCH_MTU=1500,65000
 *
 * The rows take turns, so that a busy moment of the machine falls on all of them alike.
 */
import { type Background, machine, PrivateHost } from "../harness/mod.ts";
import { cpuSeconds, measure, memoryOf, type Sample, throughput } from "./_relay_measure.ts";
import {
  formatPlot,
  formatTable,
  mediansOf,
  replaceMarked,
  type RowResult,
} from "./_relay_report.ts";
import { addTapSession, askDaemon, makeRows, type Row, startDaemon } from "./_relay_rows.ts";

const PACKAGE = new URL("../../packages/net-daemon/", import.meta.url).pathname;
const runs = Number(Deno.env.get("HPK_BENCH_RUNS") ?? 5);
const seconds = Number(Deno.env.get("HPK_BENCH_SECONDS") ?? 1);
const mtus = (Deno.env.get("HPK_BENCH_MTU") ?? "1500,65000").split(",").map(Number);

const IDLE_SESSIONS = 250;
const IDLE_SECONDS = 5;

function note(text: string): void {
  console.error(`bench:relay: ${text}`);
}

async function benchMtu(
  mtu: number,
  work: string,
): Promise<{ results: RowResult[]; facts: string[] }> {
  await using stack = new AsyncDisposableStack();
  const host = stack.use(await PrivateHost.create());
  await host.run("mkdir", ["-p", "/run/netns"]);
  const keep = (running: Background): Background => stack.use(running);
  const rows = await makeRows({ host, mtu, work, keep });
  const samples = new Map<string, Sample[]>();
  for (let run = 1; run <= runs; run++) {
    for (const row of rows) {
      if ("skipped" in row) continue;
      try {
        const sample = await measure(host, row, seconds);
        samples.set(row.name, [...samples.get(row.name) ?? [], sample]);
        note(`MTU ${mtu}, run ${run}, ${row.name}: ${sample.up?.toFixed(2)} Gbit/s up`);
      } catch (error) {
        note(`MTU ${mtu}, run ${run}, ${row.name} failed: ${error}`);
      }
    }
  }
  const results = rows.map((row): RowResult => {
    const taken = samples.get(row.name) ?? [];
    const reason = "skipped" in row
      ? row.skipped
      : taken.length < runs
      ? `${taken.length} of ${runs} runs`
      : undefined;
    const medians = taken.length === 0 ? undefined : mediansOf(taken);
    return { name: row.name, mtu, medians, skipped: reason };
  });
  const tap = rows.find((row): row is Row => row.name === "tap" && !("skipped" in row));
  const facts = mtu === mtus[0] && tap !== undefined
    ? [...await manySessions(host, tap, mtu), await endUnderLoad(host, tap)]
    : [];
  return { results, facts };
}

/** What many idle sessions cost, and whether the heap grows with what is carried. */
async function manySessions(host: PrivateHost, tap: Row, mtu: number): Promise<string[]> {
  const pids = tap.processes.map(({ pid }) => pid);
  const heap = async () => {
    const { status } = await askDaemon(host, { version: 1, op: "status" });
    return (status!.relayHeapBytes / 1e6).toFixed(1);
  };
  const alone: number[] = [];
  for (let run = 0; run < runs; run++) alone.push(await throughput(host, tap, seconds));
  for (let index = 0; index < IDLE_SESSIONS - 1; index++) {
    await addTapSession(host, `idle${index}`, 100, mtu);
    // One network each would do; the addresses are not used.
    await host.sh(`ip addr flush dev h-idle${index}`);
  }
  const before = cpuSeconds(pids);
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000));
  const idle = (cpuSeconds(pids) - before) / IDLE_SECONDS * 100;
  const memory = memoryOf(pids);
  const among: number[] = [];
  for (let run = 0; run < runs; run++) among.push(await throughput(host, tap, seconds));
  const carry = async (gigabytes: number) => {
    const words = ["iperf3", "-c", tap.address, "-n", `${gigabytes}G`];
    await using server = await host.spawn("iperf3", ["-s", "-1", "--forceflush"]);
    await server.waitFor(/Server listening/);
    await host.run("ip", ["netns", "exec", tap.client, ...words], { timeoutMs: 120_000 });
  };
  await carry(1);
  const afterOne = await heap();
  await carry(9);
  const afterTen = await heap();
  const middle = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  return [
    `${IDLE_SESSIONS} sessions of datapath tap in one daemon: ${memory.toFixed(0)} MB, ` +
    `${idle.toFixed(2)} % of a core while idle`,
    `TCP up of one session alone ${middle(alone).toFixed(2)} Gbit/s, ` +
    `among ${IDLE_SESSIONS} ${middle(among).toFixed(2)} Gbit/s`,
    `heap of the relay's thread: ${afterOne} MB after 1 GB, ${afterTen} MB after 10 GB`,
  ];
}

/** How long the daemon takes to end by SIGTERM while it carries all that TCP gives it. */
async function endUnderLoad(host: PrivateHost, tap: Row): Promise<string> {
  const times: number[] = [];
  let [daemon] = tap.processes;
  for (let run = 0; run < runs; run++) {
    await using server = await host.spawn("iperf3", ["-s", "-1", "--forceflush"]);
    await server.waitFor(/Server listening/);
    const words = ["iperf3", "-c", tap.address, "-t", "30"];
    await using _client = await host.spawn("ip", ["netns", "exec", tap.client, ...words]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const start = performance.now();
    daemon!.signal("SIGTERM");
    await daemon!.wait();
    times.push(performance.now() - start);
    daemon = await startDaemon(host);
  }
  await daemon![Symbol.asyncDispose]();
  return `SIGTERM under full load, with ${IDLE_SESSIONS} sessions: ended after ` +
    `${times.toSorted((a, b) => a - b)[Math.floor(runs / 2)]!.toFixed(0)} ms`;
}

async function describeMachine(): Promise<string> {
  const { stdout: kernel } = await machine.run("uname", ["-rm"]);
  const cores = navigator.hardwareConcurrency;
  const load = Deno.loadavg()[0]!.toFixed(1);
  return `Linux ${kernel.trim()}, ${cores} cores, load average ${load} at the end; ` +
    `medians of ${runs} runs of ${seconds} s, rows in turns.`;
}

if (import.meta.main) {
  const work = await Deno.makeTempDir({ prefix: "bench-relay-" });
  try {
    await Deno.chmod(work, 0o755);
    const results: RowResult[] = [];
    const facts: string[] = [];
    for (const mtu of mtus) {
      const bench = await benchMtu(mtu, work);
      results.push(...bench.results);
      facts.push(...bench.facts);
    }
    const lines = [await describeMachine(), ...facts].map((line) => `- ${line}\n`).join("");
    const text = `${formatTable(results)}\n${lines}\n![TCP by datapath](bench.svg)\n`;
    console.log(text);
    const readme = `${PACKAGE}README.md`;
    await Deno.writeTextFile(`${PACKAGE}bench.svg`, formatPlot(results));
    await Deno.writeTextFile(readme, replaceMarked(await Deno.readTextFile(readme), text));
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
