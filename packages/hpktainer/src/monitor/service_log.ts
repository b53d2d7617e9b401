/** The monitor's log, on its standard error: see attach/monitor_errors.ts for its destination. */

import { emptyIfLong, logAsService, openLog } from "@hpk/core/os";
import { MONITOR_LOG } from "../shared/log_files.ts";

const STDERR = 2;

/**
 * Opens the log of a thread of the monitor.
 *
 * @param keepsBound Whether this is the thread that truncates the file when it is long.
 */
export function openServiceLog(keepsBound: boolean): void {
  openLog("info");
  if (Deno.statSync(`/proc/self/fd/${STDERR}`).isFile) {
    logAsService("file", keepsBound ? () => emptyIfLong(MONITOR_LOG, STDERR) : () => {});
  } else logAsService("journal", () => {});
}
