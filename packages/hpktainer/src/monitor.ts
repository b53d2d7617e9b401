/**
 * The host's monitor: one process, which lives as long as there are containers. It waits for their
 * owners to end, by a pidfd each, and takes their networks down. It holds nothing in memory that is
 * not in the ledger: if it is killed, the next start or `gc` does its work and starts another.
 */

import type { ContainerRecord } from "@hpk/core";
import {
  drain,
  FileDescriptor,
  isInheritable,
  openProcess,
  setInheritable,
  waitReadable,
  watchDirectory,
} from "@hpk/core/ffi";
import { isOpenFileAt, type Ledger, thisProcess } from "@hpk/core/os";
import { NamesWatch } from "./names_watch.ts";
import { ChecksumWatch } from "./checksum_watch.ts";
import { isAbandoned, takeDown } from "./teardown.ts";

/** Pause before a tear-down that failed is tried again, in ms: doubled each time, up to a bound. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 60_000;

/**
 * Runs the monitor until no container is left.
 *
 * @param lockFd The locked descriptor of the monitor's lock file, inherited from who started it.
 */
export async function runMonitor(ledger: Ledger, lockFd: number): Promise<void> {
  closeInherited(lockFd);
  using lock = new FileDescriptor(lockFd);
  setInheritable(lockFd, false);
  const checksum = new ChecksumWatch(ledger);
  const names = new NamesWatch(ledger);
  let retryMs = FIRST_RETRY_MS;
  // Another tear-down may have removed the ledger, and a new one may have a monitor of its own.
  while (isOpenFileAt(lock, ledger.monitorLockPath)) {
    using watch = watchDirectory(ledger.recordsDirectory);
    const { reclaimed, hostErrors, empty } = await takeDown(
      ledger,
      isAbandoned,
      () => lock.close(),
    );
    if (empty) return;
    drain(watch);
    const failed = hostErrors.length > 0 || reclaimed.some(({ errors }) => errors.length > 0);
    const records = ledger.list();
    // The last may have been forgotten since, by someone who was killed before the host's share.
    if (records.length === 0 && !failed) continue;
    await checksum.look(records);
    await names.look(records);
    const pauses = [checksum.nextLookMs, names.nextLookMs, failed ? retryMs : -1];
    const timeoutMs = Math.min(...pauses.filter((pause) => pause >= 0));
    waitForChange(records, watch, names.pids, timeoutMs === Infinity ? -1 : timeoutMs);
    retryMs = failed ? Math.min(retryMs * 2, LAST_RETRY_MS) : FIRST_RETRY_MS;
  }
}

/** How long records that change are left alone, in ms: of many starts at once each changes some. */
const GATHERING_MS = 100;

/**
 * Blocks until an owner or another process ends, the ledger changes, or the time is up (-1: never).
 */
function waitForChange(
  records: readonly ContainerRecord[],
  watch: FileDescriptor,
  others: readonly number[],
  timeoutMs: number,
): void {
  const own = thisProcess();
  const owners = records.map((record) => record.owner.pid);
  const pids = new Set([...owners, ...others].filter((pid) => pid !== own.pid && pid > 0));
  const processes = [...pids].map(openProcess);
  try {
    // One that has ended already needs no waiting for.
    if (processes.includes(undefined)) return;
    const fds = processes.map((process) => process!.fd);
    waitReadable([watch.fd, ...fds], timeoutMs);
    waitReadable(fds, GATHERING_MS);
  } finally {
    for (const process of processes) process?.close();
  }
}

/**
 * Closes what whoever started us had open: a pipe or a lock of theirs would otherwise stay open as
 * long as any container lives. Our own descriptors are all closed on exec.
 */
function closeInherited(except: number): void {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd > 2 && fd !== except && isInheritable(fd)) new FileDescriptor(fd).close();
  }
}
