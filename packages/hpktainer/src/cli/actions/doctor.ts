import { examine as examineHost } from "../../admin/doctor.ts";
import { formatDoctor } from "../../admin/pure/doctor_report.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { EXIT_FOUND_WRONG, type JsonOption, print, printJson } from "../output.ts";

/** `hpktainer doctor`. */
export async function examine(caller: Caller, { json }: JsonOption): Promise<number> {
  const report = await examineHost(caller);
  json ? printJson(report) : print(formatDoctor(report));
  return report.ok ? 0 : EXIT_FOUND_WRONG;
}
