import { Ledger, PROGRAMS, requireProgram } from "@hpk/core/os";
import { becomeApptainer } from "./apptainer.ts";
import { runChild } from "./child.ts";
import { isAbandoned, isBeingTakenDown, takeDown } from "./teardown.ts";

/** How long to wait for the monitor to finish what it has begun, in ms. */
const SETTLE_TIMEOUT_MS = 10_000;
const SETTLE_POLL_MS = 20;

/**
 * Stops instances by Apptainer and releases their networks before it returns.
 *
 * @param args Arguments for Apptainer.
 * @return Apptainer's exit status.
 */
export async function stopInstances(args: readonly string[]): Promise<number> {
  const ledger = new Ledger();
  if (Deno.uid() !== 0 || !ledger.exists()) return becomeApptainer(args);
  const code = await runChild(requireProgram(PROGRAMS.apptainer), args);
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  await takeDown(ledger, isAbandoned);
  while (ledger.list().some(isBeingTakenDown) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
    await takeDown(ledger, isAbandoned);
  }
  return code;
}
