import { readExec } from "../containers/pure/exec_flags.ts";
import { execHelp } from "../containers/pure/run_help.ts";
import { readOptionFile } from "../containers/option_file.ts";
import { findRunning, firstProcessOf, requireRootForContainers } from "../containers/store.ts";
import { type Caller, requireTerminal } from "../shared/pure/caller.ts";
import { writeText } from "../shared/streams.ts";
import { verbOf } from "./table.ts";

/**
 * Runs a command in a running container.
 *
 * @param words The arguments of `container exec`.
 * @return The command's exit status.
 * @throws {HpkError} When the command cannot be run.
 */
export async function execInContainer(
  caller: Caller,
  words: readonly string[],
): Promise<number> {
  const request = readExec(words, caller, readOptionFile(caller));
  if (request === undefined) {
    writeText(caller.streams.stdout, execHelp());
    return 0;
  }
  requireRootForContainers(caller);
  if (!request.detach) requireTerminal(caller, request.terminal);
  const { container } = findRunning(request.container, "exec in");
  const exec = await verbOf(container.runtime, "exec");
  return await exec(caller, container, firstProcessOf(container.id, "exec in"), request);
}
