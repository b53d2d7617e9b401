/** What `bench:relay` measures of a row. */
import { findProgram, type PrivateHost, readReport } from "../harness/mod.ts";
import type { Row } from "./_relay_rows.ts";

/** One measurement of a row; undefined where it could not be made. */
export interface Sample {
  /** TCP from the container in Gbit/s. */
  up?: number;
  /** TCP to the container in Gbit/s. */
  down?: number;
  /** Eight TCP streams from the container in Gbit/s. */
  streams?: number;
  /** UDP packets of 64 bytes from the container that arrive, in thousands a second. */
  packets?: number;
  /** TCP round trip in µs: the middle one, and the 99th of a hundred. */
  p50?: number;
  p99?: number;
  /** CPU seconds of the processes that carry the frames, for a GB upwards. */
  cpu?: number;
  /** Their memory in MB, RSS. */
  memory?: number;
}

/** Clock ticks a second (sysconf(3), _SC_CLK_TCK): fixed on Linux. */
const TICKS = 100;

/** Measures a row once. @param seconds Of each of its parts. */
export async function measure(host: PrivateHost, row: Row, seconds: number): Promise<Sample> {
  const pids = row.processes.map(({ pid }) => pid);
  const before = cpuSeconds(pids);
  const up = await iperf(host, row, ["-t", String(seconds)]);
  const cpu = up.bytes === 0 ? undefined : (cpuSeconds(pids) - before) / (up.bytes / 1e9);
  const down = await iperf(host, row, ["-t", String(seconds), "-R"]);
  const streams = await iperf(host, row, ["-t", String(seconds), "-P", "8"]);
  const packets = await udpPackets(host, row, seconds);
  return {
    up: up.gigabits,
    down: down.gigabits,
    streams: streams.gigabits,
    ...(packets === undefined ? {} : { packets }),
    ...await latency(host, row, seconds),
    ...(pids.length === 0 || cpu === undefined ? {} : { cpu }),
    ...(pids.length === 0 ? {} : { memory: memoryOf(pids) }),
  };
}

/** Throughput of TCP once, upwards. */
export async function throughput(host: PrivateHost, row: Row, seconds: number): Promise<number> {
  return (await iperf(host, row, ["-t", String(seconds)])).gigabits;
}

function inside(namespace: string | undefined, words: readonly string[]): [string, string[]] {
  const [command = "", ...args] = namespace === undefined
    ? words
    : ["ip", "netns", "exec", namespace, ...words];
  return [command, args];
}

async function report(host: PrivateHost, row: Row, options: string[]): Promise<string> {
  await using server = await host.spawn(
    ...inside(row.server, ["iperf3", "-s", "-1", "--forceflush"]),
  );
  await server.waitFor(/Server listening/);
  const words = ["iperf3", "-c", row.address, "-J", "--connect-timeout", "3000", ...options];
  const { stdout } = await host.run(...inside(row.client, words), {
    check: false,
    timeoutMs: 60_000,
  });
  return stdout;
}

async function iperf(
  host: PrivateHost,
  row: Row,
  options: string[],
): Promise<{ gigabits: number; bytes: number }> {
  const text = await report(host, row, options);
  const gigabits = readReport(text).bitsPerSecond / 1e9;
  return { gigabits, bytes: JSON.parse(text).end.sum_received.bytes };
}

async function udpPackets(
  host: PrivateHost,
  row: Row,
  seconds: number,
): Promise<number | undefined> {
  const text = await report(host, row, ["-u", "-b", "0", "-l", "64", "-t", String(seconds)]);
  const sum = JSON.parse(text).end?.sum;
  if (sum === undefined) return undefined;
  // What the server counts: the packets that it was sent less those that are missing.
  return (sum.packets - sum.lost_packets) / sum.seconds / 1000;
}

/** Rows share the host's network, which keeps the port of an ended connection for a while. */
let nextPort = 6000;

async function latency(
  host: PrivateHost,
  row: Row,
  seconds: number,
): Promise<{ p50?: number; p99?: number }> {
  if (findProgram("sockperf") === undefined) return {};
  const port = String(nextPort++);
  const serve = ["sockperf", "sr", "--tcp", "-p", port];
  await using server = await host.spawn(...inside(row.server, serve));
  await server.waitFor(/block on accept|\[tid/);
  const words = ["sockperf", "pp", "--tcp", "-i", row.address, "-p", port, "-t", String(seconds)];
  const { stdout } = await host.run(...inside(row.client, words), { check: false });
  const percentile = (name: string) => {
    const value = new RegExp(`percentile ${name} += +([0-9.]+)`).exec(stdout)?.[1];
    // sockperf reports half of the round trip.
    return value === undefined ? undefined : Number(value) * 2;
  };
  const [p50, p99] = [percentile("50\\.000"), percentile("99\\.000")];
  return { ...(p50 === undefined ? {} : { p50 }), ...(p99 === undefined ? {} : { p99 }) };
}

/**
 * CPU time of processes with all their threads, in seconds (proc_pid_stat(5), fields 14 and 15).
 */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.map((pid) => {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }).reduce((sum, value) => sum + value, 0);
}

/** Resident memory of processes in MB. */
export function memoryOf(pids: readonly number[]): number {
  return pids.map((pid) => {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024 / 1e6;
  }).reduce((sum, value) => sum + value, 0);
}
