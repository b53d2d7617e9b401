/**
 * The command line that runs this program again. From source, scripts/deno chooses the import map
 * that this host can use.
 *
 * @param args Its arguments.
 */
export function selfCommand(args: readonly string[]): string[] {
  if (Deno.build.standalone) return [Deno.execPath(), ...args];
  const deno = new URL("../../../../scripts/deno", import.meta.url).pathname;
  return [deno, "run", "-A", Deno.mainModule, ...args];
}
