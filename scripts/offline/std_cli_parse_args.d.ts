/** Types for the options of `deno-std/cli/parse_args.js` that this project uses. */

/** What to parse, and how. `B` and `S`: names of boolean and text options. */
export interface ParseOptions<
  B extends string = never,
  S extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
> {
  /** Names that never take a value. */
  boolean?: readonly B[];
  /** Names whose values stay text. */
  string?: readonly S[];
  /** Values for names that are not given. */
  default?: D;
  /** Called for what was not declared; return false to leave it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The parsed arguments: positionals in `_`, the others by name. */
export type Args<
  B extends string = never,
  S extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
> =
  & { _: Array<string | number> }
  & { [K in Exclude<B, keyof D>]: boolean }
  & { [K in Exclude<S, keyof D>]?: string | undefined }
  & { [K in keyof D]: K extends B ? boolean : K extends S ? string | D[K] : D[K] };

/** Parses command-line words. */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const D extends Record<string, unknown> = Record<never, never>,
>(args: string[], options?: ParseOptions<B, S, D>): Args<B, S, D>;
