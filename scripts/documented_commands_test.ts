/** Every command line of hpktainer that the documentation shows can be read by the program. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { checkWords } from "@hpk/core/command-line";
import { findCommand, optionsOf } from "@hpk/core/commands";
import { OWN_COMMANDS, OWN_NAMES } from "../packages/hpktainer/src/cli/commands.ts";
import { readRuntime } from "../packages/hpktainer/src/cli/pure/runtime_choice.ts";
import { readRun } from "../packages/hpktainer/src/containers/pure/run_flags.ts";
import { commandsOf } from "./doc_rules.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const caller = { environment: {} };

/** Files that options name are empty. */
const readFile = () => "";

/** The pages that show command lines to copy. */
function pages(): string[] {
  const found = [...Deno.readDirSync(`${ROOT}docs`)].filter(({ name }) => name.endsWith(".md"));
  return ["README.md", "docs/reference/cli.md", ...found.map(({ name }) => `docs/${name}`)];
}

/** Reads a command line as the program does. @throws {HpkError} When it cannot be understood. */
async function read(words: readonly string[]): Promise<void> {
  const invocation = readRuntime(words, undefined, OWN_NAMES);
  if (invocation.kind === "runtime") readRun(invocation.words, "hpktainer run", caller, readFile);
  if (invocation.kind !== "own") return;
  const { command, path, rest } = findCommand(OWN_COMMANDS, invocation.args)!;
  // One with subcommands of which none is named, or one that reads its words itself.
  assertEquals(command.commands, undefined, "it names no command");
  if (command.load !== undefined) {
    checkWords(command, await optionsOf(command), `hpktainer ${path.join(" ")}`, rest);
  }
}

Deno.test("every documented command line can be read", async () => {
  const commands = pages().flatMap((path) =>
    commandsOf(Deno.readTextFileSync(ROOT + path), "hpktainer").map((words) => ({ path, words }))
  );
  assertNotEquals(commands.length, 0);
  for (const { path, words } of commands) {
    try {
      await read(words);
    } catch (error) {
      assert(false, `${path}: hpktainer ${words.join(" ")}: ${(error as Error).message}`);
    }
  }
});
