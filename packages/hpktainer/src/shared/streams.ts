import type { OutputStream } from "./pure/caller.ts";

const encoder = new TextEncoder();

/**
 * Writes all of a text without yielding.
 *
 * @return False when the reader is gone.
 */
export function writeText(stream: Pick<OutputStream, "writeSync">, text: string): boolean {
  let rest = encoder.encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    return true;
  } catch (error) {
    // The reader has closed the pipe, as `head` does.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}

/**
 * Writes all bytes.
 *
 * @return False when the reader is gone.
 */
export async function writeBytes(
  stream: Pick<OutputStream, "write">,
  bytes: Uint8Array,
): Promise<boolean> {
  try {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await stream.write(rest));
    return true;
  } catch {
    return false;
  }
}
