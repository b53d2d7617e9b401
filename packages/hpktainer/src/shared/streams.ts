import type { OutputStream } from "./pure/caller.ts";

const encoder = new TextEncoder();

/**
 * Writes text, whole, without yielding.
 *
 * @return False when nobody reads the stream any more.
 */
export function writeText(stream: Pick<OutputStream, "writeSync">, text: string): boolean {
  let rest = encoder.encode(text);
  try {
    while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
    return true;
  } catch (error) {
    // The reader has seen enough, as `head` does.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}

/**
 * Writes bytes, all of them.
 *
 * @return False when nobody reads the stream any more.
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
