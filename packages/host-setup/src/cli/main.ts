import { errorLine } from "@hpk/core";
import { openLog } from "@hpk/core/log";
import { HOST_SETUP } from "./commands.ts";
import manifest from "../../deno.json" with { type: "json" };

/** Exit status of a run that failed; 2 is kept for "something would change". */
const EXIT_FAILURE = 1;

/**
 * Runs the program.
 *
 * @param argv Arguments after the program's name.
 * @return The exit status.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [word] = argv;
  try {
    openLog();
    if (word === "--version" || word === "-version") {
      console.log(manifest.version);
      return 0;
    }
    const { runProgram } = await import("@hpk/core/command-line");
    return await runProgram(HOST_SETUP, argv, undefined, (text) => console.log(text.trimEnd()));
  } catch (error) {
    console.error(errorLine("host-setup", error, "host-setup --plan --json"));
    return EXIT_FAILURE;
  }
}
