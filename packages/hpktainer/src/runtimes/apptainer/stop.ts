import { Ledger } from "@hpk/core/ledger";
import { becomeApptainer, requireApptainer } from "./apptainer.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { runChild } from "../../shared/child.ts";

/**
 * Stops instances with Apptainer, and releases their networks before it returns.
 *
 * @param args Arguments for Apptainer.
 * @param tell Receives a notice if the end of a container in the host's network changed the host.
 * @return Apptainer's exit status.
 */
export async function stopInstances(
  caller: Caller,
  args: readonly string[],
  tell: (line: string) => void,
): Promise<number> {
  const ledger = new Ledger();
  if (caller.uid !== 0 || !ledger.exists()) return becomeApptainer(caller, args);
  const stop = async (): Promise<number> => {
    const ended = runChild(requireApptainer(caller), args);
    // Loaded while Apptainer runs.
    const [code, { takeDownEnded }] = await Promise.all([
      ended,
      import("../../attach/teardown.ts"),
    ]);
    await takeDownEnded(ledger);
    return code;
  };
  if (!ledger.list().some(({ mode }) => mode === "host")) return await stop();
  const { formatHostDifference } = await import("@hpk/core");
  const { watchHost } = await import("../../network/host_watch.ts");
  const { result, differences } = await watchHost(ledger, stop, tell);
  for (const difference of differences) {
    tell(`the stop changed the host: ${formatHostDifference(difference)}`);
  }
  return result;
}
