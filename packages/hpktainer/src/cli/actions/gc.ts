import { collectGarbage } from "../../admin/collect_garbage.ts";
import { formatGarbage, hasErrors } from "../../admin/pure/garbage_report.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { EXIT_FOUND_WRONG, type JsonOption, print, printJson } from "../output.ts";

/** `hpktainer gc`. */
export async function collect(
  caller: Caller,
  { dryRun, json }: JsonOption & { readonly dryRun?: true },
): Promise<number> {
  const report = await collectGarbage(caller, dryRun ?? false);
  json ? printJson(report) : print(formatGarbage(report));
  return hasErrors(report) ? EXIT_FOUND_WRONG : 0;
}
