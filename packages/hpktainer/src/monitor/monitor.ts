/**
 * The host's monitor: one process, which runs as long as there are containers, or the shared part
 * of the host after the last of them. It waits for their owners to end, by a pidfd each, and takes
 * their networks down. It has no state in memory that is not in the ledger: if it is killed, the
 * next start or `gc` does its work and starts another.
 */

import {
  FileDescriptor,
  isInheritable,
  listenUnix,
  setInheritable,
  setThreadPriority,
  SystemCallError,
} from "@hpk/core/ffi";
import { isOpenFileAt, type Ledger, log } from "@hpk/core/os";
import { NamesWatch } from "./names_watch.ts";
import { ChecksumWatch } from "./checksum_watch.ts";
import { ATTACH_SOCKET } from "./pure/start_order.ts";
import { isAbandoned, takeDown } from "../attach/teardown.ts";
import { openServiceLog } from "./service_log.ts";
import { WatchedLedger } from "./watched_ledger.ts";

/** Pause before a failed tear-down is retried, in ms: doubled each time, up to a bound. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 60_000;

/** Maximum number of waiting clients; the kernel refuses others, which then attach themselves. */
const MOST_WAITING = 1024;

/**
 * Runs the monitor until neither a container nor the shared part is left.
 *
 * @param lockFd The locked descriptor of the monitor's lock file, inherited from the process that
 * started it.
 */
export async function runMonitor(ledger: Ledger, lockFd: number): Promise<void> {
  openServiceLog(true);
  log("info", `the monitor begins, pid ${Deno.pid}`);
  closeInherited(lockFd);
  try {
    await watchOver(ledger, lockFd);
    log("info", "the monitor ends: no container is left");
  } catch (error) {
    log("error", `the monitor fails: ${error instanceof Error ? error.stack : error}`);
    throw error;
  }
}

async function watchOver(ledger: Ledger, lockFd: number): Promise<void> {
  using lock = new FileDescriptor(lockFd);
  setInheritable(lockFd, false);
  using _service = startService();
  const checksum = new ChecksumWatch(ledger);
  const names = new NamesWatch(ledger);
  let retryMs = FIRST_RETRY_MS;
  if (!isOpenFileAt(lock, ledger.monitorLockPath)) return;
  using watched = new WatchedLedger(ledger);
  let isDue = true;
  let lingerMs = 0;
  // Another tear-down may have removed the ledger, and a new ledger may have its own monitor.
  while (isOpenFileAt(lock, ledger.monitorLockPath)) {
    let failed = false;
    const { isAwaited } = watched;
    const hasEnded = watched.takeEnded();
    // Another process may have released the last container, and left the rest to us or was killed.
    if (isDue || hasEnded || watched.records.length === 0) {
      if (isAwaited) changePriority(USUAL_PRIORITY);
      const result = await takeDown(ledger, isAbandoned, { whenEmpty: () => lock.close() });
      if (isAwaited) changePriority(LOW_PRIORITY);
      if (result.empty) return;
      lingerMs = result.lingerMs;
      const errors = [...result.hostErrors, ...result.reclaimed.flatMap(({ errors }) => errors)];
      failed = errors.length > 0;
      for (const error of errors) log("warn", `cannot remove yet: ${error}`);
      watched.updateAfterTearDown();
    }
    const records = watched.records;
    await checksum.look(records);
    await names.look(records);
    const pauses = [
      ...[checksum.nextLookMs, names.nextLookMs, failed ? retryMs : -1],
      records.length === 0 && !failed ? lingerMs : -1,
    ];
    const timeoutMs = Math.min(...pauses.filter((pause) => pause >= 0));
    watched.wait(names.pids, timeoutMs === Infinity ? -1 : timeoutMs);
    isDue = failed;
    retryMs = failed ? Math.min(retryMs * 2, LAST_RETRY_MS) : FIRST_RETRY_MS;
  }
}

/** nice(1)'s default, at which the monitor is started, and that of what it watches. */
const LOW_PRIORITY = 10;
const USUAL_PRIORITY = 0;

/**
 * Changes this thread's priority, so that a stop of an instance does not wait behind everything
 * else.
 */
function changePriority(nice: number): void {
  try {
    setThreadPriority(nice);
  } catch (error) {
    // Without CAP_SYS_NICE the release only takes longer.
    if (!(error instanceof SystemCallError)) throw error;
  }
}

/**
 * Starts the thread that attaches clients. Without it they do that themselves; containers are
 * watched in any case.
 */
function startService(): Disposable {
  using started = new DisposableStack();
  try {
    if (removeLeft(ATTACH_SOCKET)) {
      log("warn", "the last monitor has crashed or was killed");
    }
    const listener = started.use(listenUnix(ATTACH_SOCKET, MOST_WAITING));
    const module = new URL("./attach_worker.ts", import.meta.url);
    const worker = started.adopt(new Worker(module, { type: "module" }), (it) => it.terminate());
    worker.onerror = (event) => {
      event.preventDefault();
      log("error", `starts attach themselves from now on: ${event.message}`);
      // So that clients do not wait for an answer that will not come.
      listener.close();
    };
    worker.postMessage(listener.fd);
  } catch {
    // For example if the ledger has just been removed.
  }
  return started.move();
}

/**
 * Removes a file. @return Whether it existed: a monitor that ends normally removes it with the
 * ledger.
 */
function removeLeft(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Closes descriptors inherited from the process that started us: a pipe or a lock would otherwise
 * stay open as long as any container runs. Our own descriptors are all close-on-exec.
 */
function closeInherited(except: number): void {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd > 2 && fd !== except && isInheritable(fd)) new FileDescriptor(fd).close();
  }
}
