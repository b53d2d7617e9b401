/** Offline stand-in for `@std/cli/parse-args`: the same code, as published on npm. */
// @ts-types="./std_cli_parse_args.d.ts"
export * from "deno-std/cli/parse_args.js";
