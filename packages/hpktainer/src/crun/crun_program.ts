import { type CommandResult, CONTAINER_PROGRAMS, requireProgram, runCommand } from "@hpk/core/os";
import { CRUN_STATE } from "./container_paths.ts";

/** Arguments that every call of crun begins with. */
export const CRUN_ARGUMENTS: readonly string[] = [
  "--root",
  CRUN_STATE,
  // Root need not have systemd, and the control groups are ours.
  "--cgroup-manager=cgroupfs",
];

/** Path of crun. */
export function crunPath(): string {
  return requireProgram(CONTAINER_PROGRAMS.crun);
}

/** Runs crun to its end, whatever its exit status. */
export function runCrun(args: readonly string[]): Promise<CommandResult> {
  return runCommand(crunPath(), [...CRUN_ARGUMENTS, ...args]);
}
