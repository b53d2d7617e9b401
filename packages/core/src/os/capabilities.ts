import { missingCapabilities } from "../model/capabilities.ts";

/**
 * The capabilities that root lacks here, for example in a container of another runtime.
 *
 * @param pid The process to check; this one by default.
 * @return Names such as "CAP_SYS_RESOURCE"; none on an ordinary host.
 */
export function missingRootCapabilities(pid: number | "self" = "self"): string[] {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const last = Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap"));
  return missingCapabilities(status, last);
}
