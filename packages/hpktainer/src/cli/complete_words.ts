import { type Command, findCommand, optionsOf } from "@hpk/core/commands";
import { runCommand } from "@hpk/core/os";
import { findApptainer } from "../runtimes/apptainer/apptainer.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { listContainers } from "../admin/list_containers.ts";
import { complete, completeOwn, parseApptainerCompletion } from "./pure/completion.ts";

/**
 * Completion candidates for the last word of a command line, Apptainer's included.
 *
 * @param own Our own commands.
 */
export async function completeWords<Context>(
  caller: Caller,
  words: readonly string[],
  own: readonly Command<Context>[],
): Promise<string[]> {
  const found = findCommand(own, words.slice(0, -1));
  if (found !== undefined) {
    const names = listContainers().map(({ name }) => name);
    const atCursor = { ...found, rest: [...found.rest, words.at(-1)!] };
    return completeOwn(atCursor, await optionsOf(found.command), names);
  }
  const { candidates, apptainer } = complete(words, own);
  const program = findApptainer(caller);
  if (apptainer === undefined || program === undefined) return [...candidates];
  const { stdout } = await runCommand(program, ["__complete", ...apptainer]);
  return [...new Set([...candidates, ...parseApptainerCompletion(stdout)])];
}
