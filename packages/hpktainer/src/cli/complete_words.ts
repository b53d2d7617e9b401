import { runCommand } from "@hpk/core/os";
import { findApptainer } from "../runtimes/apptainer/apptainer.ts";
import { listContainers } from "../admin/list_containers.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { complete, parseApptainerCompletion } from "./pure/completion.ts";

/** Candidates for the last of the words on a command line, Apptainer's included. */
export async function completeWords(
  caller: Caller,
  words: readonly string[],
): Promise<string[]> {
  const names = listContainers().map(({ name }) => name);
  const { candidates, apptainer } = complete(words, names);
  const program = findApptainer(caller);
  if (apptainer === undefined || program === undefined) return [...candidates];
  const { stdout } = await runCommand(program, ["__complete", ...apptainer]);
  return [...new Set([...candidates, ...parseApptainerCompletion(stdout)])];
}
