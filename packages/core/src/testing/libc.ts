import { libc } from "../ffi/libc.ts";

/**
 * Loads functions of the C library, which stay as long as the process. To be called before the first
 * test of a file that needs them: Deno's sanitizer would blame that test for the open library.
 */
export function loadLibc(...names: (keyof typeof libc)[]): void {
  for (const name of names.length > 0 ? names : ["close" as const]) void libc[name];
}
