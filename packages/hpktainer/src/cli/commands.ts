import { Command, ValidationError } from "@cliffy/command";
import { HpkError } from "@hpk/core";
import { Ledger } from "@hpk/core/os";
import { collectGarbage } from "../admin/collect_garbage.ts";
import { completeWords } from "./complete_words.ts";
import { findContainer, listContainers } from "../admin/list_containers.ts";
import { examine } from "../admin/doctor.ts";
import { runMonitor } from "../monitor/monitor.ts";
import { completionScript, type Shell, SHELLS } from "./pure/completion.ts";
import { formatContainer, formatContainers } from "../admin/pure/container_view.ts";
import { formatDoctor } from "../admin/pure/doctor_report.ts";
import { formatGarbage, hasErrors } from "../admin/pure/garbage_report.ts";
import { containerCommand, runProgramCommand } from "./container_commands.ts";
import { imageCommand, listCommand, refuseForeign, removeCommand } from "./image_commands.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { print, printJson } from "./output.ts";
import { portCommand } from "./port_command.ts";

/** Exit status of a command of ours that ran and found something wrong. */
const EXIT_FOUND_WRONG = 1;

const JSON_OPTION = ["--json", "Print JSON of a stable shape."] as const;

/**
 * Runs one of our own commands.
 *
 * @param caller Who asks.
 * @param args Its name and arguments.
 * @return The exit status.
 * @throws {HpkError} When the command line is wrong, or the command fails.
 */
export async function runOwnCommand(caller: Caller, args: readonly string[]): Promise<number> {
  if (args[0] === "container") {
    const ended = await runProgramCommand(caller, args.slice(1));
    if (ended !== undefined) return ended;
  }
  let status = 0;
  const program = new Command()
    .name("hpktainer")
    .description("Gives any container an IP address of its own on the host's pod network.")
    .throwErrors()
    .command(
      "ps",
      new Command().description("List containers and their addresses.")
        .option(...JSON_OPTION)
        .example("Addresses only", "hpktainer ps --json | jq -r '.containers[].address'")
        .action(({ json }) => {
          const containers = listContainers();
          json ? printJson({ version: 1, containers }) : print(formatContainers(containers));
        }),
    )
    .command(
      "show",
      new Command().description("Show all about one container.")
        .arguments("<name:string>")
        .option(...JSON_OPTION)
        .example("By name", "hpktainer show web")
        .action(({ json }, name) => {
          const container = findContainer(name);
          json ? printJson({ version: 1, container }) : print(formatContainer(container));
        }),
    )
    .command("port", portCommand(caller))
    .command(
      "gc",
      new Command().description("Take down what dead owners left.")
        .option("--dry-run", "Only tell what would be taken down.")
        .option(...JSON_OPTION)
        .example("Look first", "hpktainer gc --dry-run")
        .action(async ({ dryRun, json }) => {
          const report = await collectGarbage(caller, dryRun ?? false);
          json ? printJson(report) : print(formatGarbage(report));
          if (hasErrors(report)) status = EXIT_FOUND_WRONG;
        }),
    )
    .command(
      "doctor",
      new Command().description("Check what a run needs, and say how to mend it.")
        .option(...JSON_OPTION)
        .example(
          "What fails",
          "hpktainer doctor --json | jq '.checks[] | select(.status == \"fail\")'",
        )
        .action(async ({ json }) => {
          const report = await examine(caller);
          json ? printJson(report) : print(formatDoctor(report));
          if (!report.ok) status = EXIT_FOUND_WRONG;
        }),
    )
    .command("container", containerCommand(caller, (code) => status = code))
    .command("image", imageCommand(caller))
    .command("images", listCommand(caller).hidden())
    .command("rmi", removeCommand(caller).hidden())
    .command(
      "completions",
      new Command().description("Print a completion script.")
        .arguments("<shell:string>")
        .example("For this shell", "source <(hpktainer completions bash)")
        .action((_options, shell) => print(completionScript(toShell(shell)))),
    )
    .command(
      "monitor",
      new Command().description("Watch over containers.").hidden()
        .arguments("<fd:number>")
        .action((_options, fd) => runMonitor(new Ledger(), fd)),
    );
  if (args[0] === "complete") {
    const candidates = await completeWords(caller, args.slice(1));
    print(candidates.map((candidate) => `${candidate}\n`).join(""));
    return 0;
  }
  refuseForeign(args);
  try {
    await program.parse([...args]);
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    throw new HpkError({
      what: `cannot run 'hpktainer ${args.join(" ")}'`,
      why: error.message,
      fix: `see 'hpktainer ${args[0]} --help'`,
    }, { cause: error });
  }
  return status;
}

function toShell(name: string): Shell {
  const shell = SHELLS.find((candidate) => candidate === name);
  if (shell !== undefined) return shell;
  throw new HpkError({
    what: `cannot complete for '${name}'`,
    why: "there is a script for bash, zsh and fish only",
    fix: "name one of those",
  });
}
