import { HpkError, messageOf } from "../model/errors.ts";
import {
  parseRelayAnswer,
  type RelayAnswer,
  relayControlPath,
  type RelayRequest,
  relaySessionDirectory,
  relaySessionFile,
} from "../model/relay_control.ts";
import { removeIfExists } from "./files.ts";

/** How long the daemon may take to answer, in ms. */
const ANSWER_TIMEOUT_MS = 10_000;

/**
 * Sends a request to the host's hpk-net-daemon.
 *
 * @param directory The daemon's directory.
 * @return Its answer; undefined if no daemon is running.
 * @throws {HpkError} If it refuses, does not answer, or this user may not connect.
 */
export async function askRelay(
  directory: string,
  request: RelayRequest,
): Promise<Extract<RelayAnswer, { ok: true }> | undefined> {
  const path = relayControlPath(directory);
  let connection: Deno.Conn;
  try {
    connection = await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.ConnectionRefused) return undefined;
    throw failure(`cannot connect to ${path}: ${messageOf(error)}`);
  }
  const timer = setTimeout(() => connection.close(), ANSWER_TIMEOUT_MS);
  try {
    await writeAll(connection, new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    const answer = parseRelayAnswer(await readLine(connection));
    if (!answer.ok) throw failure(answer.error);
    return answer;
  } finally {
    clearTimeout(timer);
    try {
      connection.close();
    } catch {
      // The timeout has closed it.
    }
  }
}

/**
 * Ends a session, whether or not a daemon is running.
 *
 * @param directory The daemon's directory.
 * @throws {HpkError} If the daemon does not answer.
 */
export async function removeRelaySession(directory: string, id: string): Promise<void> {
  if (await askRelay(directory, { version: 1, op: "remove", id }) !== undefined) return;
  // A killed daemon has left these files, and the next one would take the session up again.
  removeIfExists(relaySessionFile(directory, id));
  removeIfExists(relaySessionDirectory(directory, id));
}

async function readLine(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(16 * 1024);
  let text = "";
  for (;;) {
    const length = await connection.read(chunk).catch(() => null);
    if (length === null) throw failure("it closed the connection, or did not answer in time");
    text += decoder.decode(chunk.subarray(0, length), { stream: true });
    const end = text.indexOf("\n");
    if (end !== -1) return text.slice(0, end);
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

function failure(why: string): HpkError {
  return new HpkError({
    what: "hpk-net-daemon did not carry out a request",
    why,
    fix: "see its log, or 'hpk-net-daemon status'",
  });
}
