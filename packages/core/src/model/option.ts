import { HpkError } from "./errors.ts";

/** An option of a command: how it is written, what it takes, and what it is for. */
export interface Option {
  /** Long name without the hyphens. */
  readonly name: string;
  /** Its one letter, if it has one. */
  readonly letter?: string;
  /** Placeholder of its value; absent for an option that is on or off. */
  readonly value?: string;
  /** What its value must be, where any text is not right. */
  readonly type?: "integer" | "number";
  /** Its values, where they can be listed: for completion and the reference. */
  readonly choices?: readonly string[];
  /** Whether it may be given several times. Otherwise the last counts. */
  readonly many?: true;
  /** Whether the command cannot do without it. */
  readonly required?: true;
  /** Value where it is not given. */
  readonly fallback?: string;
  /** What it is for, in a few words; absent for one that is refused. */
  readonly help?: string;
  /** Why it is refused, and what to do instead. */
  readonly refused?: readonly [why: string, fix: string];
  /** Other long names of the same. */
  readonly aliases?: readonly string[];
}

/** What a command line's options say. */
export interface OptionScan {
  /** Values by the option's name, in order. An option that is on or off has "true" or "false". */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The words that are not options. */
  readonly operands: readonly string[];
}

/** How a command takes its words. */
export interface ScanStyle {
  /** What to call the command in messages, such as "hpktainer run". */
  readonly command: string;
  /**
   * Whether options may follow operands. Otherwise they end at the first operand, as with Docker:
   * `run alpine ls -la` leaves `-la` to ls.
   */
  readonly interspersed?: true;
}

/** Spellings of on and off (Go's strconv.ParseBool, which Docker and Podman use). */
const ON = ["1", "t", "T", "true", "TRUE", "True"];
const OFF = ["0", "f", "F", "false", "FALSE", "False"];

/**
 * Splits a command line into options and operands. `--` ends the options.
 *
 * @throws {HpkError} On an option that is unknown, refused, or lacks its value.
 */
export function scanOptions(
  words: readonly string[],
  options: readonly Option[],
  style: ScanStyle,
): OptionScan {
  const values = new Map<string, string[]>();
  const operands: string[] = [];
  const add = (option: Option, shown: string, value: string) => {
    if (option.refused !== undefined) {
      const [why, fix] = option.refused;
      throw new HpkError({ what: `cannot use ${shown}`, why, fix });
    }
    values.set(option.name, [...values.get(option.name) ?? [], value]);
  };
  let index = 0;
  for (; index < words.length; index++) {
    const word = words[index]!;
    if (word === "--") {
      index++;
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (!style.interspersed) break;
      operands.push(word);
      continue;
    }
    const scan = word.startsWith("--") ? scanLong : scanLetters;
    index += scan(word, words[index + 1], options, style, add);
  }
  return { values, operands: [...operands, ...words.slice(index)] };
}

type Add = (option: Option, shown: string, value: string) => void;

/** Reads "--name", "--name value" or "--name=value"; returns how many further words it took. */
function scanLong(
  word: string,
  next: string | undefined,
  options: readonly Option[],
  style: ScanStyle,
  add: Add,
): number {
  const equals = word.indexOf("=");
  const shown = equals === -1 ? word : word.slice(0, equals);
  const attached = equals === -1 ? undefined : word.slice(equals + 1);
  const option = optionNamed(options, shown.slice(2)) ?? unknownOption(shown, style);
  if (option.value === undefined) {
    add(option, shown, toBoolean(shown, attached ?? "true"));
    return 0;
  }
  add(option, shown, attached ?? next ?? (option.refused === undefined ? missingValue(shown) : ""));
  return attached === undefined ? 1 : 0;
}

/** Reads "-i", "-it", "-e value" or "-evalue"; returns how many further words it took. */
function scanLetters(
  word: string,
  next: string | undefined,
  options: readonly Option[],
  style: ScanStyle,
  add: Add,
): number {
  for (let at = 1; at < word.length; at++) {
    const shown = `-${word[at]}`;
    const option = optionLettered(options, word[at]!) ?? unknownOption(shown, style);
    const rest = word.slice(at + 1);
    if (option.value === undefined) {
      if (!rest.startsWith("=")) {
        add(option, shown, "true");
        continue;
      }
      add(option, shown, toBoolean(shown, rest.slice(1)));
      return 0;
    }
    if (rest === "") {
      add(option, shown, next ?? (option.refused === undefined ? missingValue(shown) : ""));
      return 1;
    }
    add(option, shown, rest.replace(/^=/, ""));
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

function unknownOption(shown: string, { command, interspersed }: ScanStyle): never {
  throw new HpkError({
    what: `cannot understand ${shown}`,
    why: `'${command}' has no such option`,
    fix: `see '${command} --help'` +
      (interspersed ? "" : "; options of the program stand after the image"),
  });
}

/** Finds an option by its long name. */
export function optionNamed(options: readonly Option[], name: string): Option | undefined {
  return options.find((option) => option.name === name || option.aliases?.includes(name));
}

/** Finds an option by its letter. */
export function optionLettered(options: readonly Option[], letter: string): Option | undefined {
  return options.find((option) => option.letter === letter);
}
