/**
 * Shell completion. Apptainer completes its own words; ours are added.
 */

import type { Argument, Command, FoundCommand } from "@hpk/core/commands";
import { type Option, optionNamed } from "@hpk/core/options";
import { CONTAINER_VERBS } from "../../arguments/apptainer_options.ts";
import { BOOT_OPTIONS } from "../../arguments/boot_options.ts";
import { NETWORK_OPTIONS } from "../../arguments/network_options.ts";
import type { Shell } from "./shells.ts";

/** Completion candidates. */
export interface Completion {
  /** Ours. */
  readonly candidates: readonly string[];
  /** Words for Apptainer to complete as well; undefined where it is not asked. */
  readonly apptainer: readonly string[] | undefined;
}

/**
 * Completes a command line that is not one of our own commands.
 *
 * @param words Words after the program's name; the last, maybe empty, is at the cursor.
 * @param own Our own commands.
 * @param options Our options for the commands that start a container.
 */
export function complete<Context>(
  words: readonly string[],
  own: readonly Command<Context>[],
  options: readonly Option[] = NETWORK_OPTIONS,
): Completion {
  const current = words.at(-1) ?? "";
  const matching = (list: readonly string[]) => list.filter((word) => word.startsWith(current));
  const values = valuesOf(words.at(-2), options);
  if (values !== undefined) return { candidates: matching(values), apptainer: undefined };
  const all = [...options, ...(words[0] === "instance" ? BOOT_OPTIONS : [])];
  const ours = current.startsWith("-") ? all.map(({ name }) => `--${name}`) : [];
  if (words.length <= 1) {
    return { candidates: matching([...namesOf(own), ...ours]), apptainer: [current] };
  }
  const apptainer = withoutOurs(words, [...options, ...BOOT_OPTIONS]);
  const takesOurs = apptainer.length <= 1 ||
    CONTAINER_VERBS.some((verb) => apptainer.join(" ").startsWith(`${verb} `));
  return { candidates: takesOurs ? matching(ours) : [], apptainer };
}

/**
 * Completes one of our own commands.
 *
 * @param found The command and the words after it; the last is at the cursor.
 * @param options Its options.
 * @param containers Names of the containers that exist.
 */
export function completeOwn<Context>(
  { command, rest }: FoundCommand<Context>,
  options: readonly Option[],
  containers: readonly string[],
): string[] {
  const current = rest.at(-1) ?? "";
  const operands = rest.slice(0, -1).filter((word) => !word.startsWith("-"));
  const candidates = valuesOf(rest.at(-2), options) ?? [
    ...(operands.length === 0 ? namesOf(command.commands ?? []) : []),
    ...options.filter(({ help }) => help !== undefined).map(({ name }) => `--${name}`),
    ...operandChoices(command.arguments ?? [], operands.length, containers),
  ];
  return candidates.filter((candidate) => candidate.startsWith(current));
}

/** Candidates for the operand with that index. */
function operandChoices(
  all: readonly Argument[],
  index: number,
  containers: readonly string[],
): readonly string[] {
  const argument = all[index] ?? (all.at(-1)?.many ? all.at(-1) : undefined);
  return argument?.choices ?? (argument?.completes === "containers" ? containers : []);
}

/** The values of the option named by a word; undefined where they cannot be listed. */
function valuesOf(
  word: string | undefined,
  options: readonly Option[],
): readonly string[] | undefined {
  if (!word?.startsWith("--")) return undefined;
  return optionNamed(options, word.slice(2))?.choices;
}

function namesOf<Context>(commands: readonly Command<Context>[]): string[] {
  return commands.filter(({ hidden }) => !hidden).map(({ name }) => name);
}

/**
 * Parses the output of `apptainer __complete`: one candidate per line with a description after a
 * tab, then a directive that begins with a colon (spf13/cobra, "shell completions").
 */
export function parseApptainerCompletion(stdout: string): string[] {
  return stdout.split("\n").filter((line) => line !== "" && !line.startsWith(":"))
    .map((line) => line.split("\t")[0]!);
}

/** A shell's completion script. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

/** The words without our options and their values. */
function withoutOurs(words: readonly string[], options: readonly Option[]): string[] {
  const optionOf = (word: string | undefined): Option | undefined =>
    word?.startsWith("--") ? optionNamed(options, word.slice(2).split("=", 1)[0]!) : undefined;
  return words.filter((word, index) => {
    const before = words[index - 1];
    const isValue = optionOf(before)?.value !== undefined && !before!.includes("=");
    return index === words.length - 1 || (optionOf(word) === undefined && !isValue);
  });
}

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_hpktainer() {
  local IFS=$'\\n'
  COMPREPLY=($(hpktainer complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _hpktainer hpktainer
`,
  zsh: `#compdef hpktainer
_hpktainer() {
  local -a candidates
  candidates=("\${(@f)$(hpktainer complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[1]}" ]]; then compadd -- "\${candidates[@]}"; else _files; fi
}
compdef _hpktainer hpktainer
`,
  fish:
    `complete -c hpktainer -a '(hpktainer complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
};
