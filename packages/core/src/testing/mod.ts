/**
 * Helpers for the unit tests of every package.
 *
 * @module
 */
export * from "./descriptors.ts";
export * from "./libc.ts";
export * from "./random.ts";
export * from "./script.ts";
export * from "./temp_directory.ts";
