import { HpkError } from "@hpk/core/errors";
import { writeText } from "../shared/streams.ts";

/** Writes text to standard output, whole. */
export function print(text: string): void {
  writeText(Deno.stdout, text);
}

/** Writes a value as JSON to standard output, indented, with a line feed at the end. */
export function printJson(value: unknown): void {
  print(`${JSON.stringify(value, undefined, 2)}\n`);
}

/**
 * Writes text to one of the standard streams.
 *
 * @return False when the reader is gone.
 */
export function printTo(stream: "stdout" | "stderr", text: string): boolean {
  return writeText(stream === "stdout" ? Deno.stdout : Deno.stderr, text);
}

/** Writes a line to standard error. */
export function complain(line: string): void {
  writeText(Deno.stderr, `${line}\n`);
}

/** Exit status of an own command that ran and found a problem. */
export const EXIT_FOUND_WRONG = 1;

/** The option of commands that can print JSON. */
export interface JsonOption {
  readonly json?: true;
}

/** The same option in Docker's form. */
export interface FormatOption {
  readonly format?: string;
}

/**
 * Whether either option asks for JSON.
 *
 * @throws {HpkError} On a Go template, which Docker accepts.
 */
export function wantsJson(json: true | undefined, format: string | undefined): boolean {
  if (format === undefined || format === "json") return json === true || format === "json";
  throw new HpkError({
    what: `cannot format as '${format}'`,
    why: "templates are not supported",
    fix: "use --format json and a program such as jq",
  });
}
