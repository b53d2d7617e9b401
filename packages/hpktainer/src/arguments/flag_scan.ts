import { HpkError } from "@hpk/core";

/** An option. */
export interface Flag {
  /** Long name without the hyphens. */
  readonly name: string;
  /** Its one letter, if it has one. */
  readonly letter?: string;
  /** Placeholder of its value; undefined for an option that is on or off. */
  readonly value?: string;
  /** What it is for; undefined for one that is refused. */
  readonly help?: string;
  /** Why it is refused, and what to do instead. */
  readonly refused?: readonly [why: string, fix: string];
  /** Other long names of the same. */
  readonly aliases?: readonly string[];
}

/** What a command line's options say. */
export interface FlagScan {
  /** Values by the option's name, in order. An option that is on or off has "true" or "false". */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** What follows the options. */
  readonly operands: readonly string[];
}

/** Spellings of on and off (Go's strconv.ParseBool, which Docker and Podman use). */
const ON = ["1", "t", "T", "true", "TRUE", "True"];
const OFF = ["0", "f", "F", "false", "FALSE", "False"];

/**
 * Reads options up to the first word that is none, as Docker does: `run alpine ls -la` leaves `-la`
 * to ls.
 *
 * @param command What to call the command in messages, such as "hpktainer run".
 * @throws {HpkError} On an option that is unknown, refused, or lacks its value.
 */
export function scanFlags(
  words: readonly string[],
  flags: readonly Flag[],
  command: string,
): FlagScan {
  const values = new Map<string, string[]>();
  const add = (flag: Flag, shown: string, value: string) => {
    if (flag.refused !== undefined) {
      const [why, fix] = flag.refused;
      throw new HpkError({ what: `cannot use ${shown}`, why, fix });
    }
    values.set(flag.name, [...values.get(flag.name) ?? [], value]);
  };
  let index = 0;
  for (; index < words.length; index++) {
    const word = words[index]!;
    if (word === "--") {
      index++;
      break;
    }
    if (!word.startsWith("-") || word === "-") break;
    index += word.startsWith("--")
      ? scanLong(word, words[index + 1], flags, command, add)
      : scanLetters(word, words[index + 1], flags, command, add);
  }
  return { values, operands: words.slice(index) };
}

type Add = (flag: Flag, shown: string, value: string) => void;

/** Reads "--name", "--name value" or "--name=value"; returns how many further words it took. */
function scanLong(
  word: string,
  next: string | undefined,
  flags: readonly Flag[],
  command: string,
  add: Add,
): number {
  const equals = word.indexOf("=");
  const shown = equals === -1 ? word : word.slice(0, equals);
  const attached = equals === -1 ? undefined : word.slice(equals + 1);
  const flag = flagNamed(flags, shown.slice(2)) ?? unknownFlag(shown, command);
  if (flag.value === undefined) {
    add(flag, shown, toBoolean(shown, attached ?? "true"));
    return 0;
  }
  add(flag, shown, attached ?? next ?? (flag.refused === undefined ? missingValue(shown) : ""));
  return attached === undefined ? 1 : 0;
}

/** Reads "-i", "-it", "-e value" or "-evalue"; returns how many further words it took. */
function scanLetters(
  word: string,
  next: string | undefined,
  flags: readonly Flag[],
  command: string,
  add: Add,
): number {
  for (let at = 1; at < word.length; at++) {
    const shown = `-${word[at]}`;
    const flag = flagLettered(flags, word[at]!) ?? unknownFlag(shown, command);
    const rest = word.slice(at + 1);
    if (flag.value === undefined) {
      if (!rest.startsWith("=")) {
        add(flag, shown, "true");
        continue;
      }
      add(flag, shown, toBoolean(shown, rest.slice(1)));
      return 0;
    }
    if (rest === "") {
      add(flag, shown, next ?? (flag.refused === undefined ? missingValue(shown) : ""));
      return 1;
    }
    add(flag, shown, rest.replace(/^=/, ""));
    return 0;
  }
  return 0;
}

function toBoolean(shown: string, text: string): string {
  if (ON.includes(text)) return "true";
  if (OFF.includes(text)) return "false";
  throw new HpkError({
    what: `cannot use ${shown}=${text}`,
    why: "it is on or off",
    fix: "write true or false",
  });
}

function missingValue(shown: string): never {
  throw new HpkError({ what: `cannot use ${shown}`, why: "it needs a value", fix: "give one" });
}

function unknownFlag(shown: string, command: string): never {
  throw new HpkError({
    what: `cannot understand ${shown}`,
    why: `'${command}' has no such option`,
    fix: `see '${command} --help'; options of the program stand after the image`,
  });
}

/** Finds an option by its long name. */
export function flagNamed(flags: readonly Flag[], name: string): Flag | undefined {
  return flags.find((flag) => flag.name === name || flag.aliases?.includes(name));
}

/** Finds an option by its letter. */
export function flagLettered(flags: readonly Flag[], letter: string): Flag | undefined {
  return flags.find((flag) => flag.letter === letter);
}
