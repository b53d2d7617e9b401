import { type CommandResult, CONTAINER_PROGRAMS, requireProgram, runCommand } from "@hpk/core/os";
import { CRUN_STATE } from "../paths.ts";

/**
 * Arguments that every call of crun begins with.
 *
 * @param hasCgroups Whether control groups can be made.
 */
export function crunArguments(hasCgroups: boolean): string[] {
  // Root need not have systemd, and the control groups are ours.
  return ["--root", CRUN_STATE, `--cgroup-manager=${hasCgroups ? "cgroupfs" : "disabled"}`];
}

/** Path of crun. */
export function crunPath(): string {
  return requireProgram(CONTAINER_PROGRAMS.crun);
}

/** Runs crun to its end, whatever its exit status. */
export function runCrun(args: readonly string[]): Promise<CommandResult> {
  return runCommand(crunPath(), [...crunArguments(true), ...args]);
}
