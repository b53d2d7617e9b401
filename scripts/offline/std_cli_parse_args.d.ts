/** Types for the options of `deno-std/cli/parse_args.js` that this project uses. */

/** What to parse, and how. `B`, `S`, `C`, `N`: names of boolean, string, collected, negatable. */
export interface ParseOptions<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
  DD extends boolean | undefined = undefined,
> {
  /** Names that never take a value. */
  boolean?: readonly B[];
  /** Names whose values stay text. */
  string?: readonly S[];
  /** Names that may be given many times; their value is always an array. */
  collect?: readonly C[];
  /** Values for names that are not given. */
  default?: D;
  /** Other spellings of a name. */
  alias?: Record<string, string | readonly string[]>;
  /** Names that also exist as `--no-NAME`. */
  negatable?: readonly string[];
  /** Put everything from the first positional argument on into `_`. */
  stopEarly?: boolean;
  /** Keep what follows `--` apart, in the member `"--"`. */
  "--"?: DD;
  /** Called for what was not declared; return false to leave it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The parsed arguments: positionals in `_`, the others by name. */
export type Args<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
  DD extends boolean | undefined = undefined,
> =
  & { _: Array<string | number> }
  & { [K in Exclude<B, keyof D | C>]: boolean }
  & { [K in Extract<B, C>]: boolean[] }
  & { [K in Exclude<S, keyof D | C>]?: string | undefined }
  & { [K in Extract<S, C>]: string[] }
  & { [K in keyof D]: K extends B ? boolean : K extends S ? string | D[K] : D[K] }
  & (DD extends true ? { "--": string[] } : unknown);

/** Parses command-line words. */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const D extends Record<string, unknown> = Record<never, never>,
  const DD extends boolean | undefined = undefined,
>(args: string[], options?: ParseOptions<B, S, C, D, DD>): Args<B, S, C, D, DD>;
