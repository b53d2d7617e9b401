import { findProgram, PROGRAMS, runCommand } from "@hpk/core/os";
import { listContainers } from "../admin/list_containers.ts";
import { complete, parseApptainerCompletion } from "./pure/completion.ts";

/** Candidates for the last of the words on a command line, Apptainer's included. */
export async function completeWords(words: readonly string[]): Promise<string[]> {
  const names = listContainers().map(({ name }) => name);
  const { candidates, apptainer } = complete(words, names);
  const program = findProgram(PROGRAMS.apptainer);
  if (apptainer === undefined || program === undefined) return [...candidates];
  const { stdout } = await runCommand(program, ["__complete", ...apptainer]);
  return [...new Set([...candidates, ...parseApptainerCompletion(stdout)])];
}
