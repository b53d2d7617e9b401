import { recordRepair } from "../shared/events.ts";
import { openLockFile, setInheritable, tryLockExclusive } from "@hpk/core/ffi";
import { type Ledger, PROGRAMS, requireProgram, startDetached } from "@hpk/core/os";
import { selfCommand } from "../shared/self.ts";
import { keepErrors } from "./monitor_errors.ts";

/**
 * Delay before the monitor starts, in seconds: until the first container is started, which would
 * otherwise share the CPU with it. For the same reason it has a lower priority.
 */
const DELAY = 0.15;

/**
 * Whether the host has a monitor, even one that is still starting. Call it under the ledger's lock,
 * so that no other process starts one meanwhile.
 */
export function hasMonitor(ledger: Ledger): boolean {
  using lock = openLockFile(ledger.monitorLockPath);
  return !tryLockExclusive(lock);
}

/**
 * Starts the host's monitor, unless it runs. Call it under the ledger's lock: the monitor waits for
 * the lock, and ends if there is no container in the ledger then.
 *
 * The monitor inherits the locked descriptor, so that a second one is not started while the first
 * is still starting.
 *
 * @return Whether an earlier monitor had crashed or was killed.
 */
export async function ensureMonitor(ledger: Ledger): Promise<boolean> {
  using lock = openLockFile(ledger.monitorLockPath);
  if (!tryLockExclusive(lock)) return false;
  // A monitor is started before anything else is in the ledger, and finally removes the ledger.
  const wasKilled = ledger.readHost() !== undefined || !ledger.isEmpty();
  setInheritable(lock.fd, true);
  using kept = keepErrors();
  // Not our child: it outlives the program that this process becomes.
  await startDetached(
    requireProgram(PROGRAMS.setsid),
    [...kept.prefix, ...selfCommand(["monitor", String(lock.fd)])],
    { delay: DELAY, errors: kept.errors },
  );
  if (wasKilled) {
    recordRepair("monitor", "it had crashed or was killed, and was restarted");
  }
  return wasKilled;
}
