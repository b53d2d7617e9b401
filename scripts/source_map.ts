/**
 * Prints an import map that names the sources of JSR packages on this machine, for HPK_DEPS. See
 * docs/dev/testing.md.
 *
 *   scripts/deno run --allow-read scripts/source_map.ts DIRECTORY... > map.json
 */

/** The part of a package's deno.json that says what can be imported from it. */
interface Manifest {
  readonly name: string;
  readonly exports: string | Readonly<Record<string, string>>;
}

/**
 * The entries of an import map for one package.
 *
 * @param directory URL of the package's directory, with a slash at the end.
 */
export function entriesOf({ name, exports }: Manifest, directory: string): [string, string][] {
  const paths = typeof exports === "string" ? { ".": exports } : exports;
  return Object.entries(paths).map(([key, path]) => [
    `${name}${key.slice(1)}`,
    new URL(path, directory).href,
  ]);
}

if (import.meta.main) {
  const entries = Deno.args.flatMap((argument) => {
    const directory = new URL(`file://${Deno.realPathSync(argument)}/`).href;
    const manifest = Deno.readTextFileSync(new URL("deno.json", directory));
    return entriesOf(JSON.parse(manifest), directory);
  });
  console.log(JSON.stringify({ imports: Object.fromEntries(entries) }, undefined, 2));
}
