/** Runs inside a namespace for --verify: a server, or a list of tasks. */

import { messageOf } from "@hpk/core";
import { createSocket } from "node:dgram";
import { readTxChecksum, writeTxChecksum } from "@hpk/core/ffi";
import {
  dnsQuery,
  isDnsAnswer,
  pattern,
  type ProbeResult,
  type ProbeTask,
  TRANSFER_BYTES,
} from "./pure/probe.ts";

/** Where DNS servers listen (RFC 1035, section 4.2). */
const DNS_PORT = 53;

/** Timeout of one task, in ms. */
const TASK_TIMEOUT_MS = 4_000;

/**
 * Sends the pattern to every client, until standard input ends: it ends with the process that
 * started it. Prints "ready" once it listens.
 *
 * @param plainLink A link on which segments are to have their real size: without checksum offload
 * the kernel makes none larger.
 */
export async function serveProbe(port: number, plainLink: string | undefined): Promise<void> {
  if (plainLink !== undefined && readTxChecksum(plainLink)) writeTxChecksum(plainLink, false);
  const listener = Deno.listen({ port });
  console.log("ready");
  const serve = async (): Promise<void> => {
    for await (const connection of listener) {
      void send(connection);
    }
  };
  void serve();
  for await (const _ of Deno.stdin.readable) {
    // Nothing is written to it.
  }
  listener.close();
}

async function send(connection: Deno.TcpConn): Promise<void> {
  try {
    const writer = connection.writable.getWriter();
    await writer.write(pattern());
    await writer.close();
  } catch {
    // The client notices that something is missing.
  }
}

/** Runs tasks concurrently. */
export function runTasks(tasks: readonly ProbeTask[]): Promise<ProbeResult[]> {
  return Promise.all(tasks.map(async (task) => {
    const begun = performance.now();
    try {
      const found = await withTimeout(run(task));
      return { ok: true, found: `${found} in ${Math.round(performance.now() - begun)} ms` };
    } catch (error) {
      return { ok: false, found: messageOf(error) };
    }
  }));
}

async function withTimeout(work: Promise<string>): Promise<string> {
  let timer: number | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${TASK_TIMEOUT_MS / 1000} s`)),
      TASK_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function run(task: ProbeTask): Promise<string> {
  switch (task.kind) {
    case "connect":
      return connect(task.address, task.port);
    case "fetch":
      return fetchPattern(task.address, task.port);
    case "dns":
      return askDns(task.address);
  }
}

async function connect(hostname: string, port: number): Promise<string> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return `${hostname}:${port} answered`;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) {
      return `${hostname}:${port} refused, so it is reachable`;
    }
    throw error;
  }
}

async function fetchPattern(hostname: string, port: number): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  const wanted = pattern();
  const buffer = new Uint8Array(64 * 1024);
  let received = 0;
  let last = performance.now();
  for (;;) {
    const count = await Promise.race([connection.read(buffer), stall(() => last)]);
    if (count === undefined) {
      throw new Error(`stalled after ${received} of ${TRANSFER_BYTES} bytes`);
    }
    if (count === null) break;
    for (let index = 0; index < count; index++) {
      if (buffer[index] !== wanted[received + index]) {
        throw new Error(`byte ${received + index} is wrong`);
      }
    }
    received += count;
    last = performance.now();
  }
  if (received !== TRANSFER_BYTES) {
    throw new Error(`${received} of ${TRANSFER_BYTES} bytes arrived`);
  }
  return `${received / 1024} KiB`;
}

/** Ends when nothing has arrived for most of a task's time. */
async function stall(last: () => number): Promise<undefined> {
  const limit = TASK_TIMEOUT_MS * 0.75;
  while (performance.now() - last() < limit) {
    await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, 100)));
  }
}

async function askDns(server: string): Promise<string> {
  const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
  const id = crypto.getRandomValues(new Uint16Array(1))[0]!;
  let timer: number | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      const ask = () => socket.send(dnsQuery(id), DNS_PORT, server);
      socket.on("error", reject);
      socket.on("message", (message: Uint8Array) => {
        if (isDnsAnswer(message, id)) resolve(`${server} answered`);
      });
      ask();
      // A datagram may be lost.
      timer = setInterval(ask, TASK_TIMEOUT_MS / 4);
    });
  } finally {
    clearInterval(timer);
    socket.close();
  }
}
