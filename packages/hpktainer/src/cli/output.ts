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
 * @return False when nobody reads it any more.
 */
export function printTo(stream: "stdout" | "stderr", text: string): boolean {
  return writeText(stream === "stdout" ? Deno.stdout : Deno.stderr, text);
}

/** Writes a line to standard error. */
export function complain(line: string): void {
  writeText(Deno.stderr, `${line}\n`);
}
