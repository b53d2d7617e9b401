/**
 * Completion of the command line in a shell. Words that are Apptainer's are completed by Apptainer
 * itself; ours are added.
 */

import { CONTAINER_VERBS } from "../../arguments/apptainer_options.ts";
import { BOOT_OPTIONS } from "../../arguments/boot_options.ts";
import { CONTAINER_COMMANDS } from "./runtime_choice.ts";
import { NETWORK_OPTIONS } from "../../arguments/network_options.ts";

/** Shells that a script is made for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** A shell that a script is made for. */
export type Shell = typeof SHELLS[number];

/** Our own commands that a person types, and their options. */
const OWN = new Map<string, readonly string[]>([
  ["ps", ["--json"]],
  ["show", ["--json"]],
  ["port", ["ls", "add", "rm", "--json"]],
  ["gc", ["--dry-run", "--json"]],
  ["doctor", ["--json"]],
  ["container", CONTAINER_COMMANDS],
  ["image", ["pull", "ls", "inspect", "rm", "prune"]],
  ["images", ["--json", "--quiet", "--digests", "--no-trunc"]],
  ["rmi", ["--force", "--json"]],
  ["completions", SHELLS],
]);

/** Values of our options that can be listed. */
const VALUES = new Map<string, readonly string[]>([
  ["--network", ["flannel", "static", "host", "none"]],
  ["--datapath", ["auto", "veth", "tap", "relay"]],
]);

/** What can stand at the cursor. */
export interface Completion {
  /** Ours. */
  readonly candidates: readonly string[];
  /** Words to be completed by Apptainer as well; undefined where it has no say. */
  readonly apptainer: readonly string[] | undefined;
}

/**
 * Works out what can stand at the cursor.
 *
 * @param words Words after the program's name; the last is the one at the cursor, maybe empty.
 * @param containers Names of the containers that exist.
 */
export function complete(words: readonly string[], containers: readonly string[]): Completion {
  const current = words.at(-1) ?? "";
  const matching = (list: readonly string[]) => list.filter((word) => word.startsWith(current));
  const values = VALUES.get(words.at(-2) ?? "");
  if (values !== undefined) return { candidates: matching(values), apptainer: undefined };
  const ours = current.startsWith("-") ? oursOf(words[0] === "instance") : [];
  if (words.length <= 1) {
    return { candidates: matching([...OWN.keys(), ...ours]), apptainer: [current] };
  }
  const own = OWN.get(words[0]!);
  if (own !== undefined) {
    const names = words[0] === "show" || (words[0] === "port" && words.length > 2)
      ? containers
      : [];
    return { candidates: matching([...own, ...names]), apptainer: undefined };
  }
  const apptainer = withoutOurs(words);
  const takesOurs = apptainer.length <= 1 ||
    CONTAINER_VERBS.some((verb) => apptainer.join(" ").startsWith(`${verb} `));
  return { candidates: takesOurs ? matching(ours) : [], apptainer };
}

/**
 * Reads what `apptainer __complete` prints: a candidate a line with a description after a tab, then a
 * directive that begins with a colon (spf13/cobra, "shell completions").
 */
export function parseApptainerCompletion(stdout: string): string[] {
  return stdout.split("\n").filter((line) => line !== "" && !line.startsWith(":"))
    .map((line) => line.split("\t")[0]!);
}

/** A shell's completion script. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

/** Our options; those of a boot too, where an instance is started. */
function oursOf(isInstance: boolean): string[] {
  const options = [...NETWORK_OPTIONS, ...(isInstance ? BOOT_OPTIONS : [])];
  return options.map(({ name }) => `--${name}`);
}

function withoutOurs(words: readonly string[]): string[] {
  const named = (options: typeof NETWORK_OPTIONS) => options.map(({ name }) => `--${name}`);
  const options = [...NETWORK_OPTIONS, ...BOOT_OPTIONS];
  const ours = named(options);
  const valued = named(options.filter(({ value }) => value !== undefined));
  return words.filter((word, index) =>
    index === words.length - 1 ||
    (!ours.includes(word) && !valued.includes(words[index - 1] ?? "") &&
      !ours.some((option) => word.startsWith(`${option}=`)))
  );
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
