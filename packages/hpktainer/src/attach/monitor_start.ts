import { openLockFile, setInheritable, tryLockExclusive } from "@hpk/core/ffi";
import { type Ledger, PROGRAMS, requireProgram, startDetached } from "@hpk/core/os";
import { selfCommand } from "../shared/self.ts";

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
 */
export async function ensureMonitor(ledger: Ledger): Promise<void> {
  using lock = openLockFile(ledger.monitorLockPath);
  if (!tryLockExclusive(lock)) return;
  setInheritable(lock.fd, true);
  // Not our child: it outlives the program that we become.
  await startDetached(
    requireProgram(PROGRAMS.setsid),
    selfCommand(["monitor", String(lock.fd)]),
    DELAY,
  );
}
