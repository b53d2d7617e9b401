import { openLockFile, setInheritable, tryLockExclusive } from "@hpk/core/ffi";
import { type Ledger, PROGRAMS, requireProgram, runOrThrow } from "@hpk/core/os";
import { selfCommand } from "./self.ts";

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
  const [program, ...args] = selfCommand(["monitor", String(lock.fd)]);
  // In a session of its own and not our child: it outlives the program that we become. Starts go
  // first where both want the processor; then more is released at once.
  const script = 'cd / && exec nice "$@" </dev/null >/dev/null 2>&1';
  const detached = ["--fork", "sh", "-c", script, "sh"];
  await runOrThrow(requireProgram(PROGRAMS.setsid), [...detached, program!, ...args]);
}
