/**
 * The client side of a start: it asks the monitor, whose code is warm, to attach it. Kept small,
 * since every start loads it.
 */

import { execInPlace } from "@hpk/core/exec";
import { ATTACH_SOCKET, type StartAnswer, type StartOrder } from "./pure/start_order.ts";

/** How long to wait for an answer, in ms: of many starts at once each waits for those before it. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Bytes read at a time; an answer is about as long as the command line. */
const ROOM = 16_384;

/**
 * The result of a request: an order, "declined" if nothing was done, or "lost" if the monitor went
 * away meanwhile.
 */
export type Asked = StartOrder | "declined" | "lost";

/** Asks the monitor to attach this process, whose arguments the monitor reads itself. */
export async function askToBeAttached(): Promise<Asked> {
  let connection: Deno.UnixConn;
  try {
    connection = await Deno.connect({ transport: "unix", path: ATTACH_SOCKET });
  } catch {
    // No container runs yet, or we may not ask.
    return "declined";
  }
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.close();
  }, ANSWER_TIMEOUT_MS);
  try {
    const text = await readAll(connection);
    return text === "" ? "lost" : JSON.parse(text) as StartAnswer ?? "declined";
  } catch {
    // What is attached for a client that has hung up is taken down again.
    return isLate ? "declined" : "lost";
  } finally {
    clearTimeout(timer);
    if (!isLate) connection.close();
  }
}

async function readAll(connection: Deno.UnixConn): Promise<string> {
  const decoder = new TextDecoder();
  const room = new Uint8Array(ROOM);
  let text = "";
  for (;;) {
    const length = await connection.read(room);
    if (length === null) return text;
    text += decoder.decode(room.subarray(0, length), { stream: true });
  }
}

/**
 * Carries out an order.
 *
 * @throws {SystemCallError} When the program cannot be executed. Otherwise it does not return.
 */
export function follow({ path, argv, environment }: StartOrder): never {
  return execInPlace(path, argv, environment);
}
