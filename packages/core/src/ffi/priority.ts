import { callOrThrow } from "./errno.ts";
import { libc } from "./libc.ts";

/** Priority of a process by its pid; 0 is the calling thread (setpriority(2), sys/resource.h). */
const PRIO_PROCESS = 0;

/**
 * Sets the priority of this thread, and of the programs that it starts from now on.
 *
 * @param nice From -20, the highest, to 19; 0 is the default.
 * @throws {SystemCallError} EACCES if this process may not raise it.
 */
export function setThreadPriority(nice: number): void {
  callOrThrow("setpriority", () => libc.setpriority(PRIO_PROCESS, 0, nice));
}
