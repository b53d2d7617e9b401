import { execInContainer } from "../../runtimes/exec.ts";
import { createContainer, runContainer } from "../../runtimes/run.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { print } from "../output.ts";

/** `hpktainer container run …`. */
export function run(caller: Caller, words: readonly string[]): Promise<number> {
  return runContainer(caller, words);
}

/** `hpktainer container create …`. */
export async function create(caller: Caller, words: readonly string[]): Promise<void> {
  const id = await createContainer(caller, words);
  if (id !== undefined) print(`${id}\n`);
}

/** `hpktainer container exec …`. */
export function exec(caller: Caller, words: readonly string[]): Promise<number> {
  return execInContainer(caller, words);
}
