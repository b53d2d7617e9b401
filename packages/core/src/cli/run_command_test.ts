import { assertEquals, assertRejects } from "@std/assert";
import { type Command, defineCommands, findCommand } from "../model/command.ts";
import { HpkError } from "../model/errors.ts";
import { runCommand } from "./run_command.ts";

const seen: unknown[] = [];
const command = defineCommands<string>();

interface GoOptions {
  readonly time?: number;
  readonly dryRun?: true;
  readonly stop: boolean;
  readonly by: "foot" | "car";
  readonly via?: readonly string[];
}

function go(context: string, options: GoOptions, from: string, ...to: string[]): number {
  const { time, dryRun, stop, by, via } = options;
  seen.push([context, time, dryRun, stop, by, via, from, to]);
  return 3;
}

const COMMANDS: readonly Command<string>[] = [
  command({
    name: "go",
    aliases: ["walk"],
    summary: "go somewhere",
    arguments: [{ name: "FROM" }, { name: "TO", many: true, optional: true }],
    options: [
      { name: "time", letter: "t", value: "SECONDS", type: "integer", help: "how long" },
      { name: "dry-run", letter: "d", help: "do not" },
      { name: "no-stop", help: "do not stop" },
      { name: "by", value: "WHAT", choices: ["foot", "car"], fallback: "foot", help: "how" },
      { name: "via", value: "PLACE", many: true, help: "by way of" },
    ],
    load: () => Promise.resolve(go),
  }),
  {
    name: "raw",
    summary: "read words itself",
    loadRaw: () => Promise.resolve((context, words) => void seen.push([context, ...words])),
  },
];

async function run(...words: string[]): Promise<unknown> {
  seen.length = 0;
  const found = findCommand(COMMANDS, words)!;
  const status = await runCommand(found, {
    program: "prog",
    context: "ctx",
    print: (text) => void seen.push(text.split("\n")[0]),
  });
  return [status, ...seen];
}

Deno.test("runCommand() gives an action its options by their types, and its operands", async () => {
  const cases: [words: string[], seen: unknown[]][] = [
    [["go", "a"], ["ctx", undefined, undefined, true, "foot", undefined, "a", []]],
    [["walk", "a", "b"], ["ctx", undefined, undefined, true, "foot", undefined, "a", ["b"]]],
    [
      ["go", "-t", "5", "a", "--via", "x", "b", "--via=y=z", "c"],
      ["ctx", 5, undefined, true, "foot", ["x", "y=z"], "a", ["b", "c"]],
    ],
    [
      ["go", "-dt7", "--no-stop", "--by=car", "--", "a"],
      ["ctx", 7, true, false, "car", undefined, "a", []],
    ],
    // Of an option that is given twice, the last counts; what is turned off is not given.
    [
      ["go", "a", "-t1", "-t", "-2", "-d", "--dry-run=false", "--via", "-x"],
      ["ctx", -2, undefined, true, "foot", ["-x"], "a", []],
    ],
    [["go", "a b", "", "é"], ["ctx", undefined, undefined, true, "foot", undefined, "a b", [
      "",
      "é",
    ]]],
  ];
  for (const [words, expected] of cases) {
    assertEquals(await run(...words), [3, expected], words.join(" "));
  }
});

Deno.test("runCommand() prints help wherever it is asked for, and lets others read their words", async () => {
  const usage = "Usage: prog go [OPTIONS] FROM [TO...]";
  for (const words of [["-h"], ["--help"], ["a", "--help"], ["-dh"], ["a", "b", "-h"]]) {
    assertEquals(await run("go", ...words), [0, usage], words.join(" "));
  }
  assertEquals(await run("raw", "--help", "-x"), [0, ["ctx", "--help", "-x"]]);
  await assertRejects(() => run("go", "--", "--help"), HpkError, "'--help' is not a valid FROM");
});
