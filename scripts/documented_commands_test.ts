/** Every command line of hpktainer that the documentation shows can be read by the program. */
import { assert, assertNotEquals } from "@std/assert";
import { OWN_NAMES } from "../packages/hpktainer/src/cli/commands.ts";
import { readRuntime } from "../packages/hpktainer/src/cli/pure/runtime_choice.ts";
import { readRun } from "../packages/hpktainer/src/containers/pure/run_flags.ts";
import { commandsOf } from "./doc_rules.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const caller = { environment: {} };

/** Files that options name are empty. */
const readFile = () => "";

/** The pages that users read. */
function pages(): string[] {
  const directories = ["docs/", "docs/reference/"];
  const found = directories.flatMap((directory) =>
    [...Deno.readDirSync(ROOT + directory)].filter(({ name }) => name.endsWith(".md"))
      .map(({ name }) => directory + name)
  );
  return ["README.md", ...found];
}

/** Reads a command line as the program does. @throws {HpkError} When it cannot be understood. */
function read(words: readonly string[]): void {
  const invocation = readRuntime(words, undefined, OWN_NAMES);
  if (invocation.kind === "runtime") readRun(invocation.words, "hpktainer run", caller, readFile);
}

Deno.test("every documented command line can be read", () => {
  const commands = pages().flatMap((path) =>
    commandsOf(Deno.readTextFileSync(ROOT + path), "hpktainer").map((words) => ({ path, words }))
  );
  assertNotEquals(commands.length, 0);
  for (const { path, words } of commands) {
    try {
      read(words);
    } catch (error) {
      assert(false, `${path}: hpktainer ${words.join(" ")}: ${(error as Error).message}`);
    }
  }
});
