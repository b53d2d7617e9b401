/** Destination of the monitor's standard error, which has its log and the messages of a crash. */

import { connectUnix, type FileDescriptor, setInheritable } from "@hpk/core/ffi";
import { findProgram, log, openBoundedLog, OPTIONAL_PROGRAMS } from "@hpk/core/os";
import { JOURNAL_IDENTIFIER, JOURNAL_SOCKET, MONITOR_LOG } from "../shared/log_files.ts";

/** How to start the monitor so that its standard error is kept. */
export interface KeptErrors extends Disposable {
  /** Arguments before the monitor's own. */
  readonly prefix: readonly string[];
  /** An inheritable descriptor; undefined for none. */
  readonly errors: number | undefined;
}

/**
 * The journal if there is one, else a file, else nowhere: a start does not fail for lack of a log.
 */
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

/** Whether the journal listens: systemd-cat would not start the monitor if it cannot connect. */
function hasJournal(): boolean {
  try {
    connectUnix(JOURNAL_SOCKET).close();
    return true;
  } catch {
    return false;
  }
}
