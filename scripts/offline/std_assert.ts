/** Offline stand-in for `@std/assert`: the same code, as published on npm by `deno-std`. */
// @ts-types="./std_assert.d.ts"
export * from "deno-std/assert/mod.js";
