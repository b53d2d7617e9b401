/**
 * A relay of one session with the original's command line: a TAP of this network namespace, and a
 * socket that it listens on (server, the host's end) or connects to (client, the container's end).
 */

import { HpkError } from "@hpk/core";
import {
  connectUnix,
  ECONNREFUSED,
  type FileDescriptor,
  listenUnix,
  readMtu,
  setTapPersistent,
  SystemCallError,
} from "@hpk/core/ffi";
import { openTapAs } from "./open_tap.ts";
import type { EndSpec } from "./pure/link_spec.ts";
import type { StandaloneOptions } from "./pure/original_flags.ts";
import { sourceRules } from "./pure/source_filter.ts";
import { RelayThread } from "./relay_thread.ts";
import { notifyReady } from "./readiness.ts";
import { ended, endOf } from "./signals.ts";

/** Name of the one session. */
const ID = "session";

/**
 * Relays until SIGTERM or SIGINT.
 *
 * @param say Called with each line of output.
 * @throws {HpkError} If it cannot start, or its TAP is deleted.
 */
export async function runStandalone(
  options: StandaloneOptions,
  say: (text: string) => void,
): Promise<void> {
  const log = options.quiet ? () => {} : say;
  const existed = hasInterface(options.tap);
  if (!existed && !options.createTap) {
    throw failure(
      options,
      `there is no interface ${options.tap}`,
      "create it, or pass -create-tap",
    );
  }
  const { tap, end, mtu } = openEnds(options);
  const finished = Promise.withResolvers<unknown>();
  const thread = new RelayThread({
    log: (_id, text) => log(text),
    ended: (_id, reason) => {
      const why = reason === "" ? "the relay ended" : reason;
      finished.reject(failure(options, why, "create the interface again, and restart"));
    },
    died: (message) => finished.reject(new Error(message)),
  });
  const tapEnd: EndSpec = { kind: "tap", name: options.tap, fd: tap.fd };
  const isServer = options.mode === "server";
  thread.add({
    id: ID,
    mtu,
    rules: options.mac === undefined ? undefined : sourceRules(options.mac, options.address),
    offload: options.offload,
    host: isServer ? tapEnd : end,
    container: isServer ? end : tapEnd,
  });
  log(`${options.mode} on ${options.tap}, MTU ${mtu}, socket ${options.socket}`);
  if (options.readyFd !== undefined) notifyReady(options.readyFd);
  const ends: Promise<unknown>[] = [finished.promise, ended()];
  if (options.exitWith !== undefined) ends.push(endOf(options.exitWith));
  await Promise.race(ends);
  // A TAP that we created goes with us; after a kill it stays, and the next relay reuses it.
  if (!existed) setTapPersistent(tap, false);
  await thread.stop();
  if (isServer) Deno.removeSync(options.socket);
}

function openEnds(
  options: StandaloneOptions,
): { tap: FileDescriptor; end: EndSpec; mtu: number } {
  const { socket, mode } = options;
  try {
    const { descriptor: tap, mtu } = openTapAs(options.tap, options.mtu);
    if (options.createTap) setTapPersistent(tap, true);
    if (mode === "client") return { tap, mtu, end: { kind: "connect", path: socket } };
    removeStale(socket);
    const listener = listenUnix(socket);
    Deno.chmodSync(socket, 0o600);
    const uid = Deno.uid() ?? 0;
    return { tap, mtu, end: { kind: "listen", path: socket, fd: listener.fd, uid } };
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    throw failure(options, error.message, "check that the names are free and that you are root");
  }
}

/** Removes a socket that nothing listens on any more. */
function removeStale(path: string): void {
  try {
    if (!Deno.lstatSync(path).isSocket) return;
  } catch {
    return;
  }
  try {
    connectUnix(path).close();
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === ECONNREFUSED) Deno.removeSync(path);
  }
}

/** Whether this network namespace has an interface; /sys may show another namespace. */
function hasInterface(name: string): boolean {
  try {
    readMtu(name);
    return true;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return false;
  }
}

function failure(options: StandaloneOptions, why: string, fix: string): HpkError {
  return new HpkError({ what: `cannot relay ${options.tap} as ${options.mode}`, why, fix });
}
