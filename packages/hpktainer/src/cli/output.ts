const encoder = new TextEncoder();

/** Writes text to standard output, whole. */
export function print(text: string): void {
  writeAll(Deno.stdout, text);
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
  return writeAll(stream === "stdout" ? Deno.stdout : Deno.stderr, text);
}

/** Writes a line to standard error. */
export function complain(line: string): void {
  writeAll(Deno.stderr, `${line}\n`);
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): boolean {
  let rest = encoder.encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    return true;
  } catch (error) {
    // Whoever reads has seen enough, as `head` does.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}
