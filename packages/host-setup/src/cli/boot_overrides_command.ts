import { Command, ValidationError } from "@cliffy/command";
import { HpkError } from "@hpk/core";
import { writeOverrides } from "../boot_overrides.ts";
import { formatOverrides, overridesToJson } from "../pure/boot_overrides.ts";

/**
 * Runs `host-setup boot-overrides`.
 *
 * @param args What stands behind the subcommand.
 * @throws {HpkError} When the command line is wrong, or the directory cannot be written.
 */
export async function runBootOverrides(args: readonly string[]): Promise<void> {
  const program = new Command()
    .name("host-setup boot-overrides")
    .description("Writes what keeps a booted container from changing the host's network.")
    .throwErrors()
    .option("--dest <directory:string>", "Where to; made if need be.", { required: true })
    .option("--allow <unit:string>", "Let a unit run that would be masked; repeatable.", {
      collect: true,
    })
    .option("--json", "Print JSON of a stable shape.")
    .example("For plain Apptainer", "host-setup boot-overrides --dest /etc/boot-overrides")
    .action(({ dest, allow, json }: { dest: string; allow?: string[]; json?: true }) => {
      const { overrides, changed } = writeOverrides(dest, allow ?? []);
      console.log(
        json
          ? JSON.stringify(overridesToJson(overrides, changed), undefined, 2)
          : formatOverrides(overrides, changed).trimEnd(),
      );
    });
  try {
    await program.parse([...args]);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    throw new HpkError({
      what: "cannot run 'host-setup boot-overrides'",
      why: error.message,
      fix: "see 'host-setup boot-overrides --help'",
    }, { cause: error });
  }
}
