import { Ledger, PROGRAMS, requireProgram } from "@hpk/core/os";
import { becomeApptainer } from "./apptainer.ts";
import { runChild } from "./child.ts";
import { takeDownEnded } from "./teardown.ts";

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
  await takeDownEnded(ledger);
  return code;
}
