import { errorLine, EXIT_OWN_FAILURE, HpkError } from "@hpk/core/errors";
import { logEverything, openLog } from "@hpk/core/log";
import { becomeApptainer, findApptainer } from "../runtimes/apptainer/apptainer.ts";
import { asksForDebug, type Invocation, mayBeOwn, readArguments } from "../arguments/arguments.ts";
import { asksForRuntime, isDockerLike } from "../arguments/runtime_words.ts";
import type { Caller } from "../shared/pure/caller.ts";
import manifest from "../../deno.json" with { type: "json" };
import { complain, print } from "./output.ts";

/**
 * Runs the program.
 *
 * @param caller This process.
 * @param argv Arguments after the program's name.
 * @return The exit status, unless the process becomes Apptainer.
 */
export async function main(caller: Caller, argv: readonly string[]): Promise<number> {
  try {
    openLog();
    const invocation = await readInvocation(caller, argv);
    if (asksForDebug(argv)) logEverything();
    return await dispatch(caller, invocation);
  } catch (error) {
    return fail(error);
  }
}

/** Reports why the program fails. @return Its exit status. */
export function fail(error: unknown): number {
  complain(errorLine("hpktainer", error));
  return error instanceof HpkError ? error.exitStatus : EXIT_OWN_FAILURE;
}

async function readInvocation(caller: Caller, argv: readonly string[]): Promise<Invocation> {
  const argv0 = Deno.readTextFileSync("/proc/self/cmdline").split("\0", 1)[0]!;
  const wanted = caller.environment["HPK_RUNTIME"];
  if (!asksForRuntime([argv0, ...argv], wanted)) return readArguments(argv, await ownNames(argv));
  const { readDockerLike, readRuntime } = await import("./pure/runtime_choice.ts");
  return isDockerLike(argv0)
    ? readDockerLike(argv, (await import("./commands.ts")).CONTAINER_NAMES)
    : readRuntime(argv, wanted, await ownNames(argv));
}

/** Names of our own commands, none where it is clear that none is meant: a start does not load the table. */
async function ownNames(argv: readonly string[]): Promise<readonly string[]> {
  return mayBeOwn(argv) ? (await import("./commands.ts")).OWN_NAMES : [];
}

async function dispatch(caller: Caller, invocation: Invocation): Promise<number> {
  switch (invocation.kind) {
    // Loaded only where needed, so that a command of Apptainer's has little overhead.
    case "container": {
      if (invocation.boot !== undefined) {
        const { bootInstance } = await import("../runtimes/boot/boot.ts");
        return await bootInstance(caller, invocation, invocation.boot, tell);
      }
      const { startContainer } = await import("../runtimes/apptainer/start.ts");
      return await startContainer(caller, invocation, tell);
    }
    case "runtime": {
      const { runContainer } = await import("../runtimes/run.ts");
      return await runContainer(caller, invocation.words);
    }
    case "own": {
      const { runCommand } = await import("@hpk/core/command-line");
      const { findCommand } = await import("@hpk/core/commands");
      const { OWN_COMMANDS } = await import("./commands.ts");
      const found = findCommand(OWN_COMMANDS, invocation.args)!;
      return await runCommand(found, { program: "hpktainer", context: caller, print });
    }
    case "join": {
      const { joinInstance } = await import("../runtimes/apptainer/join.ts");
      return joinInstance(caller, invocation.instance, invocation.args);
    }
    case "stop": {
      const { stopInstances } = await import("../runtimes/apptainer/stop.ts");
      return await stopInstances(caller, invocation.args, tell);
    }
    case "version":
      return showVersions(caller);
    case "help": {
      print(await helpOn(invocation.verb));
      return 0;
    }
    case "passthrough":
      return becomeApptainer(caller, invocation.args);
  }
}

/** Help on the program, or on one of Apptainer's commands that starts a container. */
async function helpOn(verb: string | undefined): Promise<string> {
  const { OWN_COMMANDS, STARTS } = await import("./commands.ts");
  if (verb === undefined) {
    const { mainHelp } = await import("./pure/help.ts");
    return mainHelp(manifest.version, [...STARTS, ...OWN_COMMANDS]);
  }
  const { commandHelp } = await import("@hpk/core/command-help");
  const { findCommand, optionsOf } = await import("@hpk/core/commands");
  const { command } = findCommand(STARTS, verb.split(" "))!;
  return commandHelp(command, await optionsOf(command), `hpktainer ${verb}`);
}

/** Reports a line on standard error. */
function tell(line: string): void {
  complain(`hpktainer: ${line}`);
}

/** Prints our version, then lets Apptainer print its own. */
function showVersions(caller: Caller): number {
  print(`hpktainer version ${manifest.version}\n`);
  if (findApptainer(caller) === undefined) return 0;
  return becomeApptainer(caller, ["--version"]);
}
