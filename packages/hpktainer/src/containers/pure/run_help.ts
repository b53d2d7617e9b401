import { commandHelp } from "@hpk/core/command-help";
import { EXEC_FLAGS } from "./exec_flags.ts";
import { ALL_RUN_FLAGS } from "./run_flags.ts";
import { CREATE, EXEC, RUN } from "./run_rows.ts";

/** Help of `run --runtime crun` and `container create`. */
export function runHelp(command: "run" | "create"): string {
  return command === "run"
    ? commandHelp(RUN, ALL_RUN_FLAGS, "hpktainer run --runtime crun")
    : commandHelp(CREATE, ALL_RUN_FLAGS, "hpktainer container create");
}

/** Help of `container exec`. */
export function execHelp(): string {
  return commandHelp(EXEC, EXEC_FLAGS, "hpktainer container exec");
}
