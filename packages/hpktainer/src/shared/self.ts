/**
 * The command line that runs this program again.
 *
 * @param args Its arguments.
 */
export function selfCommand(args: readonly string[]): string[] {
  return Deno.build.standalone
    ? [Deno.execPath(), ...args]
    : [Deno.execPath(), "run", "-A", Deno.mainModule, ...args];
}
