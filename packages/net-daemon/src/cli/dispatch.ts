import { errorLine, EXIT_OWN_FAILURE } from "@hpk/core";
import { openLog } from "@hpk/core/log";
import { isOriginalCommandLine, readOriginalFlags } from "../pure/original_flags.ts";
import { runStandalone } from "../standalone.ts";
import { NET_DAEMON } from "./commands.ts";
import { log } from "./log.ts";
import manifest from "../../deno.json" with { type: "json" };

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
    if (isOriginalCommandLine(argv) && word !== "-h" && word !== "-help") {
      await runStandalone(readOriginalFlags(argv), log);
      return 0;
    }
    const { runProgram } = await import("@hpk/core/command-line");
    const words = word === "-help" ? ["--help"] : argv;
    return await runProgram(NET_DAEMON, words, undefined, (text) => console.log(text.trimEnd()));
  } catch (error) {
    console.error(errorLine("hpk-net-daemon", error));
    return EXIT_OWN_FAILURE;
  }
}
