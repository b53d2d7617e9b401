import type { Command } from "@hpk/core/commands";
import type { Caller } from "../../shared/pure/caller.ts";
import { completeWords } from "../complete_words.ts";
import { print } from "../output.ts";
import { completionScript } from "../pure/completion.ts";
import type { Shell } from "../pure/shells.ts";

/** `hpktainer completions SHELL`; the table has checked the shell. */
export function script(_caller: Caller, _options: unknown, shell: string): void {
  print(completionScript(shell as Shell));
}

/**
 * `hpktainer complete WORDS...`, which the scripts run.
 *
 * @param own Our own commands.
 */
export async function candidates(
  caller: Caller,
  words: readonly string[],
  own: readonly Command<Caller>[],
): Promise<void> {
  const found = await completeWords(caller, words, own);
  print(found.map((candidate) => `${candidate}\n`).join(""));
}
