/** Where the monitor's standard error goes, which has its log and whatever a crash leaves. */

import { connectUnix, type FileDescriptor, setInheritable } from "@hpk/core/ffi";
import { findProgram, log, openBoundedLog, OPTIONAL_PROGRAMS } from "@hpk/core/os";
import { JOURNAL_IDENTIFIER, JOURNAL_SOCKET, MONITOR_LOG } from "../shared/log_files.ts";

/** How the monitor is started so that its standard error is kept. */
export interface KeptErrors extends Disposable {
  /** Words before the monitor's own. */
  readonly prefix: readonly string[];
  /** An inheritable descriptor; undefined for none. */
  readonly errors: number | undefined;
}

/** The journal where there is one, else a file, else nowhere: no start fails for want of a log. */
export function keepErrors(): KeptErrors {
  const systemdCat = findProgram(OPTIONAL_PROGRAMS.systemdCat);
  if (systemdCat !== undefined && hasJournal()) {
    return withDescriptor(undefined, [systemdCat, `--identifier=${JOURNAL_IDENTIFIER}`]);
  }
  try {
    const file = openBoundedLog(MONITOR_LOG);
    setInheritable(file.fd, true);
    return withDescriptor(file, []);
  } catch (error) {
    log("debug", () => `the monitor has no log: ${error}`);
    return withDescriptor(undefined, []);
  }
}

function withDescriptor(file: FileDescriptor | undefined, prefix: readonly string[]): KeptErrors {
  return { prefix, errors: file?.fd, [Symbol.dispose]: () => file?.close() };
}

/** Whether somebody listens: a program that connects in vain would not start the monitor. */
function hasJournal(): boolean {
  try {
    connectUnix(JOURNAL_SOCKET).close();
    return true;
  } catch {
    return false;
  }
}
