import { recordRepair } from "../shared/events.ts";
import { openLockFile, setInheritable, tryLockExclusive } from "@hpk/core/ffi";
import { type Ledger, PROGRAMS, requireProgram, startDetached } from "@hpk/core/os";
import { selfCommand } from "../shared/self.ts";
import { keepErrors } from "./monitor_errors.ts";

/**
 * How long the monitor waits before it begins, in seconds: until the first container is started, which
 * would otherwise share the processor with it. For the same reason it has a lower priority.
 */
const DELAY = 0.15;

/**
 * Whether the host has a monitor, also one that has not come up yet. To be called under the ledger's
 * lock, since nobody can start one while it looks.
 */
export function hasMonitor(ledger: Ledger): boolean {
  using lock = openLockFile(ledger.monitorLockPath);
  return !tryLockExclusive(lock);
}

/**
 * Starts the host's monitor, unless it runs. To be called under the ledger's lock: the monitor waits
 * for it, and ends if there is no container in the ledger then.
 *
 * The monitor inherits the locked descriptor, so that no second one is started while the first has
 * not come up yet.
 *
 * @return Whether one had been there and was gone before its work was done, by a crash or a kill.
 */
export async function ensureMonitor(ledger: Ledger): Promise<boolean> {
  using lock = openLockFile(ledger.monitorLockPath);
  if (!tryLockExclusive(lock)) return false;
  // The first is started before anything else is in the ledger, and the last thing it does is to remove that.
  const wasKilled = ledger.readHost() !== undefined || !ledger.isEmpty();
  setInheritable(lock.fd, true);
  using kept = keepErrors();
  // Not our child: it outlives the program that we become.
  await startDetached(
    requireProgram(PROGRAMS.setsid),
    [...kept.prefix, ...selfCommand(["monitor", String(lock.fd)])],
    { delay: DELAY, errors: kept.errors },
  );
  if (wasKilled) {
    recordRepair("monitor", "it had ended before its work was done, and is started again");
  }
  return wasKilled;
}
