/**
 * Calls of the C library that Deno has no API for. Nothing else opens a library.
 *
 * @module
 */
export * from "./errno.ts";
export * from "./exec.ts";
export * from "./fd.ts";
export * from "./mount.ts";
export * from "./process_watch.ts";
