import { libc } from "../ffi/libc.ts";

/**
 * Loads functions of the C library, which stay loaded until the process ends. Call it before the
 * first test of a file that needs them: otherwise Deno's sanitizer reports the open library as a
 * leak.
 */
export function loadLibc(...names: (keyof typeof libc)[]): void {
  for (const name of names.length > 0 ? names : ["close" as const]) void libc[name];
}
