/** The log: its levels, its lines, and what a line does not show of a command line. */

import { HpkError, oneLine } from "./errors.ts";

/** Levels of the log, the most urgent first; each includes those before it. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

/** A level of the log. */
export type LogLevel = typeof LOG_LEVELS[number];

/** The variable that names the level. */
export const LOG_VARIABLE = "HPK_LOG";

/**
 * Reads a level.
 *
 * @param text Value of HPK_LOG; undefined or empty where none is given.
 * @return Undefined where none is given.
 * @throws {HpkError} When it names no level.
 */
export function parseLogLevel(text: string | undefined): LogLevel | undefined {
  if (text === undefined || text === "") return undefined;
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw new HpkError({
    what: `cannot use ${LOG_VARIABLE}=${quoteWord(text)}`,
    why: "there is no such level",
    fix: `use one of ${LOG_LEVELS.join(", ")}`,
  });
}

/** Where a line of the log goes, which decides what stands before its text. */
export type LogForm =
  /** A person's terminal: the program and the time since its start. */
  | { readonly kind: "command"; readonly program: string; readonly ms: number }
  /** A file of a service's own: the time of day, ISO 8601 in UTC. */
  | { readonly kind: "file"; readonly time: string }
  /** The journal, which adds the time: the priority as sd-daemon(3) has it. */
  | { readonly kind: "journal" };

/** Priorities of syslog(3). */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/** Longest text of a line, in characters. */
const LONGEST_TEXT = 4_000;

/** One line of the log, with its line feed. */
export function formatLogLine(level: LogLevel, text: string, form: LogForm): string {
  const shown = escapeControls(oneLine(text).slice(0, LONGEST_TEXT));
  switch (form.kind) {
    case "command":
      return `${form.program}: ${level} ${form.ms.toFixed(1)} ms: ${shown}\n`;
    case "file":
      return `${form.time} ${level}: ${shown}\n`;
    case "journal":
      return `<${PRIORITIES[level]}>${shown}\n`;
  }
}

/** Control characters (Unicode, category Cc), and those that turn the direction of text (Bidi_Control). */
// deno-lint-ignore no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A text in which control characters are written as JSON writes them, such as \u001b. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A word as a person can tell it from its neighbours: in quotation marks unless it is plain. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./~*-]+$/.test(word) ? word : escapeControls(JSON.stringify(word));
}

/** Options whose value is a secret, in the spelling of Apptainer and skopeo. */
const SECRET_OPTION =
  /^--?(?:[a-z]+-)*(?:password|username|creds|token|passphrase|secret|auth)(=|$)/i;

/** Options whose value is a variable of the environment or a list of them: only names are shown. */
const VARIABLE_OPTION = /^--env(=|$)/;

/** What stands in the place of a secret. */
const MASK = "***";

/**
 * A command line for the log, with each word quoted where it has to be. Values of credentials and of
 * variables of the environment are not shown, nor what stands before the host in a URL.
 */
export function formatCommandLine(argv: readonly string[]): string {
  const words = argv.map((word, index) => {
    const before = argv[index - 1] ?? "";
    if (SECRET_OPTION.exec(before)?.[1] === "") return MASK;
    if (VARIABLE_OPTION.exec(before)?.[1] === "") return maskVariables(word);
    if (SECRET_OPTION.exec(word)?.[1] === "=") return word.replace(/=.*/s, `=${MASK}`);
    if (VARIABLE_OPTION.exec(word)?.[1] === "=") {
      return `--env=${maskVariables(word.slice("--env=".length))}`;
    }
    return word.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, `$1${MASK}@`);
  });
  return words.map(quoteWord).join(" ");
}

/** The names of "A=1,B=2": what follows a comma is a variable only where a name is before its "=". */
function maskVariables(text: string): string {
  const names = [...text.matchAll(/(?:^|,)([A-Za-z_]\w*)=/g)].map((match) => match[1]!);
  return names.length === 0 ? MASK : names.map((name) => `${name}=${MASK}`).join(",");
}
