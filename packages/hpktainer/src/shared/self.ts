/**
 * The command line that runs this program again. From source that takes the import map that this host
 * can serve, which scripts/deno knows.
 *
 * @param args Its arguments.
 */
export function selfCommand(args: readonly string[]): string[] {
  if (Deno.build.standalone) return [Deno.execPath(), ...args];
  const deno = new URL("../../../../scripts/deno", import.meta.url).pathname;
  return [deno, "run", "-A", Deno.mainModule, ...args];
}
