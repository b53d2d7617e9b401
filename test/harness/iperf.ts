/** Measures TCP throughput between two places with iperf3. */
import type { Place, RunOptions } from "./place.ts";

/** One measurement. */
export interface IperfOptions {
  /** Where the server runs. */
  server: Place;
  /** Where the client runs. */
  client: Place;
  /** The server's address, as the client sees it. */
  address: string;
  /** TCP port, 5201 without it. */
  port?: number;
  /** How long to send, in whole seconds. Default 2. */
  seconds?: number;
  /** Let the server send instead of the client. Default false. */
  reverse?: boolean;
  /** Parallel streams. Default 1. */
  streams?: number;
  /**
   * A command prefix that enters another place before iperf3, on the server's side, such as
   * `["ip", "netns", "exec", "x"]`.
   */
  serverPrefix?: readonly string[];
  /** The same on the client's side. */
  clientPrefix?: readonly string[];
  /** How the client runs, for example its environment. */
  clientOptions?: RunOptions;
}

/** The results of iperf3. */
export interface IperfResult {
  /** Received payload in bits per second. */
  bitsPerSecond: number;
  /** TCP retransmissions by the sender's kernel. */
  retransmits: number;
}

/** Run one iperf3 measurement. Bounded: throws when it takes 10 seconds longer than it should, or iperf3 fails. */
export async function iperf(options: IperfOptions): Promise<IperfResult> {
  const { server, client, address, port = 5201, seconds = 2, reverse = false, streams = 1 } =
    options;
  const serverWords = ["iperf3", "-s", "-1", "--forceflush", "-p", String(port)];
  const clientWords = ["iperf3", "-c", address, "-J", "-p", String(port), "-t", String(seconds)];
  clientWords.push("-P", String(streams), "--connect-timeout", "3000", ...reverse ? ["-R"] : []);
  const [serverCommand = "", ...serverArgs] = [...options.serverPrefix ?? [], ...serverWords];
  await using running = await server.spawn(serverCommand, serverArgs);
  await running.waitFor(/Server listening/);
  const [clientCommand = "", ...clientArgs] = [...options.clientPrefix ?? [], ...clientWords];
  const { stdout } = await client.run(clientCommand, clientArgs, {
    ...options.clientOptions,
    timeoutMs: (seconds + 10) * 1000,
    check: false,
  });
  return readReport(stdout);
}

/**
 * The results in an `iperf3 -J` report. Throws with iperf3's own error, or if the text is not a
 * report.
 */
export function readReport(text: string): IperfResult {
  const report = parse(text);
  if (report.error !== undefined) throw new Error(`iperf3: ${report.error}`);
  const bitsPerSecond = report.end?.sum_received?.bits_per_second;
  if (bitsPerSecond === undefined) {
    throw new Error(`iperf3: no result in its report: ${text.slice(0, 200)}`);
  }
  return { bitsPerSecond, retransmits: report.end?.sum_sent?.retransmits ?? 0 };
}

interface Report {
  error?: string;
  end?: { sum_received?: { bits_per_second?: number }; sum_sent?: { retransmits?: number } };
}

function parse(text: string): Report {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`iperf3: not a report: ${text.slice(0, 200)}`, { cause });
  }
}
