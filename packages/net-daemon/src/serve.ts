/**
 * The daemon of a host: many sessions, one control socket. It is started on demand or by systemd, and
 * ends by itself after some time without sessions, or when its directory is removed.
 */

import { HpkError, type RelayAnswer, relayControlPath, type RelayRequest } from "@hpk/core";
import { type FileDescriptor, openLockFile, tryLockExclusive } from "@hpk/core/ffi";
import { isOpenFileAt, removeIfEmpty, removeIfExists } from "@hpk/core/os";
import { ControlServer } from "./control_server.ts";
import { formatMetrics } from "./pure/prometheus.ts";
import { notifyReady } from "./readiness.ts";
import { RelayThread } from "./relay_thread.ts";
import { Sessions } from "./sessions.ts";
import { ended } from "./signals.ts";

/** Options of a daemon. */
export interface ServeOptions {
  /** Directory for sockets and sessions; created with mode 0700. */
  readonly directory: string;
  /** Seconds without a session after which it ends; undefined for never. */
  readonly idleExit: number | undefined;
  /** Descriptor to write "ready" to, and to close, once requests are answered. */
  readonly readyFd: number | undefined;
  /** Called with each line of the log. */
  readonly log: (text: string) => void;
}

/** How often to check whether the daemon is still needed, in ms. */
const WATCH_MS = 1000;

/**
 * Serves until SIGTERM or SIGINT, or until there is nothing left to do. Session files and TAPs stay
 * for the next daemon.
 *
 * @throws {HpkError} If another daemon serves that directory.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { directory, log } = options;
  Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  Deno.chmodSync(directory, 0o700);
  using lock = lockDirectory(directory);
  const started = performance.now();
  const failed = Promise.withResolvers<never>();
  const thread = new RelayThread({
    log: (id, text) => log(`${id}: ${text}`),
    ended: (id, reason) => sessions.onEnded(id, reason),
    died: (message) => failed.reject(new Error(message)),
  });
  const sessions = new Sessions({ directory, thread, log });
  sessions.restore();
  const path = relayControlPath(directory);
  removeIfExists(path);
  const server = new ControlServer(path, (request) => answer(request, sessions, thread, started));
  log(`serving ${path}, pid ${Deno.pid}, ${sessions.size} sessions resumed`);
  if (options.readyFd !== undefined) notifyReady(options.readyFd);
  const business = () => {
    sessions.endVanished();
    return sessions.size + server.connections;
  };
  const idle = watchIdle(options, business, lock);
  try {
    log(`ending: ${await Promise.race([failed.promise, ended(), idle.promise])}`);
  } finally {
    idle.stop();
    server.close();
    await thread.stop();
  }
  if (sessions.size === 0 && isOpenFileAt(lock, lockPath(directory))) removeDirectory(directory);
}

async function answer(
  request: RelayRequest,
  sessions: Sessions,
  thread: RelayThread,
  started: number,
): Promise<RelayAnswer> {
  switch (request.op) {
    case "add":
      sessions.add(request.session);
      return { version: 1, ok: true };
    case "remove":
      await sessions.remove(request.id);
      return { version: 1, ok: true };
    case "status":
    case "metrics": {
      const status = {
        version: 1,
        pid: Deno.pid,
        uptime: (performance.now() - started) / 1000,
        memoryBytes: Deno.memoryUsage().rss,
        relayHeapBytes: await thread.measureHeap(),
        sessions: sessions.status(),
      } as const;
      return request.op === "status"
        ? { version: 1, ok: true, status }
        : { version: 1, ok: true, text: formatMetrics(status) };
    }
  }
}

function lockPath(directory: string): string {
  return `${directory}/lock`;
}

function lockDirectory(directory: string): FileDescriptor {
  const lock = openLockFile(lockPath(directory));
  if (tryLockExclusive(lock)) return lock;
  lock.close();
  throw new HpkError({
    what: `cannot serve ${directory}`,
    why: "another hpk-net-daemon does",
    fix: "use that one (hpk-net-daemon status), or choose another --directory",
  });
}

/** Resolves with a reason when there is nothing left to do. */
function watchIdle(
  options: ServeOptions,
  business: () => number,
  lock: FileDescriptor,
): { promise: Promise<string>; stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<string>();
  let idleSince = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    if (business() > 0) {
      idleSince = now;
      return;
    }
    const limit = options.idleExit;
    if (!isOpenFileAt(lock, lockPath(options.directory))) resolve("the directory is gone");
    else if (limit !== undefined && now - idleSince >= limit * 1000) resolve("no session");
  }, WATCH_MS);
  return { promise, stop: () => clearInterval(timer) };
}

function removeDirectory(directory: string): void {
  for (const name of ["control.sock", "lock"]) removeIfExists(`${directory}/${name}`);
  for (const name of ["sessions", "links"]) removeIfEmpty(`${directory}/${name}`);
  removeIfEmpty(directory);
}
