/** Which runtime a command line is for, where it may not be Apptainer. */

import { HpkError } from "@hpk/core";
import { type Invocation, readArguments } from "../../arguments/arguments.ts";
import { optionLettered, optionNamed } from "@hpk/core/options";
import { ALL_RUN_FLAGS } from "../../containers/pure/run_flags.ts";
import { networkOption } from "../../arguments/network_options.ts";

/** The default runtime, which has its own command line. */
const APPTAINER = "apptainer";

/**
 * Reads a command line that names a runtime, by `run --runtime NAME` or by the environment.
 *
 * @param argv Arguments after the program's name.
 * @param preferred HPK_RUNTIME; undefined or empty for Apptainer.
 * @param own Names of our own commands.
 * @throws {HpkError} When it is malformed.
 */
export function readRuntime(
  argv: readonly string[],
  preferred: string | undefined,
  own: readonly string[],
): Invocation {
  const before = networkOptions(argv);
  const [verb, ...words] = argv.slice(before.length);
  if (verb !== "run") return readArguments(argv, own);
  const found = findRuntime(words);
  const runtime = found?.name ?? (preferred || APPTAINER);
  if (runtime !== APPTAINER) {
    const ours = before.filter((word) => !DEBUG.includes(word));
    return { kind: "runtime", words: [...ours, ...words] };
  }
  const rest = found === undefined
    ? words
    : [...words.slice(0, found.at), ...words.slice(found.at + found.length)];
  return readArguments([...before, verb, ...rest], own);
}

/**
 * Reads a command line in Docker's style: `run …`, `ps`, `images`.
 *
 * @param containers Names of the container commands.
 * @throws {HpkError} When it does not name a command.
 */
export function readDockerLike(
  argv: readonly string[],
  containers: readonly string[],
): Invocation {
  const [word = "--help", ...rest] = argv;
  if (word === "run") return { kind: "runtime", words: rest };
  if (word === "pull") return { kind: "own", args: ["image", "pull", ...rest] };
  if (["container", "image", "images", "rmi"].includes(word)) return { kind: "own", args: argv };
  if (containers.includes(word)) return { kind: "own", args: ["container", ...argv] };
  if (word === "--version" || word === "version") return { kind: "version" };
  if (word === "--help" || word === "-h" || word === "help") {
    return { kind: "own", args: ["container", "--help"] };
  }
  throw new HpkError({
    what: `cannot understand '${word}'`,
    why: "crungo has no such command",
    fix: `use run, pull, images, rmi, ${containers.join(", ")}, or hpktainer itself`,
  });
}

/** The global option of Apptainer that every other runtime accepts, too. */
const DEBUG = ["--debug", "-d"];

/** The network options before the command, and --debug. */
function networkOptions(argv: readonly string[]): readonly string[] {
  let index = 0;
  while (index < argv.length) {
    if (DEBUG.includes(argv[index]!)) {
      index++;
      continue;
    }
    const match = /^--([a-z0-9-]+)(=)?/.exec(argv[index]!);
    const option = match === null ? undefined : networkOption(match[1]!);
    if (option === undefined) break;
    index += match![2] === undefined && option.value !== undefined ? 2 : 1;
  }
  return argv.slice(0, index);
}

/** Finds --runtime among the options before the image: its index and its number of words. */
function findRuntime(
  words: readonly string[],
): { readonly name: string; readonly at: number; readonly length: number } | undefined {
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word === "--" || word === "-" || !word.startsWith("-")) return undefined;
    const [, attached] = word.split(/=(.*)/s);
    if (word === "--runtime") return { name: words[index + 1] ?? "", at: index, length: 2 };
    if (word.startsWith("--runtime=")) return { name: attached ?? "", at: index, length: 1 };
    if (takesNext(word)) index++;
  }
  return undefined;
}

/** Whether an option's value is the next word. Unknown options have none. */
function takesNext(word: string): boolean {
  if (word.startsWith("--")) {
    return !word.includes("=") && optionNamed(ALL_RUN_FLAGS, word.slice(2))?.value !== undefined;
  }
  const letters = [...word.slice(1)];
  const valued = letters.findIndex((letter) =>
    optionLettered(ALL_RUN_FLAGS, letter)?.value !== undefined
  );
  return valued !== -1 && valued === letters.length - 1;
}
