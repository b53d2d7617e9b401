import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { HpkError } from "@hpk/core";
import { type Command, findCommand, optionsOf } from "@hpk/core/commands";
import { commandHelp } from "@hpk/core/command-help";
import { checkWords, runCommand } from "@hpk/core/command-line";
import { CONTAINER_VERBS } from "../arguments/apptainer_options.ts";
import { CONTAINER_NAMES, OWN_COMMANDS, OWN_NAMES, STARTS } from "./commands.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { OwnCaller } from "./own_caller.ts";
import { mainHelp } from "./pure/help.ts";
import { readRuntime } from "./pure/runtime_choice.ts";

/** A command and its path. */
type Row = readonly [path: string, command: Command<Caller>];

/** Every command of a table, subcommands too. */
function rowsOf(commands: readonly Command<Caller>[], above = ""): Row[] {
  return commands.flatMap((command) => {
    const path = `${above}${command.name}`;
    return [[path, command] as const, ...rowsOf(command.commands ?? [], `${path} `)];
  });
}

const ROWS = rowsOf([...STARTS, ...OWN_COMMANDS]);
const SHOWN = ROWS.filter(([, { hidden }]) => !hidden);

/** Runs an own command that prints help, or fails. */
async function run(line: string): Promise<string> {
  let text = "";
  const found = findCommand(OWN_COMMANDS, line.split(" "))!;
  const print = (printed: string): void => void (text += printed);
  await runCommand(found, { program: "hpktainer", context: new OwnCaller(), print });
  return text;
}

async function helpOf([path, command]: Row): Promise<string> {
  return commandHelp(command, await optionsOf(command), `hpktainer ${path}`);
}

Deno.test("every command has a summary, unique names, and either subcommands or an action", () => {
  for (const [path, { summary, commands, load, loadRaw }] of ROWS) {
    assertMatch(summary, /^[a-z].*[^.]$/, path);
    const does = [commands, load, loadRaw].filter((one) => one !== undefined);
    assert(does.length <= 1, path);
    const names = (commands ?? []).flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    assertEquals(new Set(names).size, names.length, path);
  }
});

Deno.test("the action of every own command can be loaded", async () => {
  for (const [path, { commands, load, loadRaw }] of rowsOf(OWN_COMMANDS)) {
    if (commands === undefined) assertEquals(typeof await (load ?? loadRaw)!(), "function", path);
  }
});

Deno.test("the commands that start a container are Apptainer's that we read", () => {
  const starts = rowsOf(STARTS).filter(([, { options }]) => options !== undefined);
  assertEquals(new Set(starts.map(([path]) => path)), new Set(CONTAINER_VERBS));
});

Deno.test("no option of a command has the name or letter of another", async () => {
  for (const [path, command] of ROWS) {
    const options = await optionsOf(command);
    const names = options.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    assertEquals(new Set(names).size, names.length, path);
    const letters = options.flatMap(({ letter }) => letter ?? []);
    assertEquals(new Set(letters).size, letters.length, path);
  }
});

Deno.test("help is text of at most 100 columns without escape sequences", async () => {
  const texts = [...await Promise.all(SHOWN.map(helpOf)), mainHelp("1.2.3", OWN_COMMANDS)];
  for (const text of texts) {
    for (const line of text.split("\n")) assert(line.length <= 100, line);
    assertMatch(text, /^[\n\x20-\x7e…]+$/);
    assert(text.endsWith("\n") && !text.endsWith("\n\n"));
  }
});

Deno.test("every example of the help is a valid command line", async () => {
  const texts = [...await Promise.all(SHOWN.map(helpOf)), mainHelp("1.2.3", OWN_COMMANDS)];
  const lines = texts.flatMap((
    text,
  ) => [...text.matchAll(/^ {2,4}(?:source <\()?hpktainer (.*?)(?:\)| \| .*| {2,}.*)?$/gm)]).map((
    match,
  ) => match[1]!.split(" "));
  assert(lines.length >= 30, `${lines.length} examples`);
  for (const words of lines) {
    const { kind } = readRuntime(words, undefined, OWN_NAMES);
    assert(["container", "own", "runtime"].includes(kind), words.join(" "));
    const found = findCommand(OWN_COMMANDS, words);
    if (kind !== "own" || found?.command.load === undefined) continue;
    const options = await optionsOf(found.command);
    assert(checkWords(found.command, options, "hpktainer", found.rest), words.join(" "));
  }
});

Deno.test("crungo has the commands on containers, by every name", () => {
  for (const name of ["run", "ps", "ls", "list", "rm", "remove", "inspect"]) {
    assert(CONTAINER_NAMES.includes(name), name);
  }
});

Deno.test("a wrong command line is refused with our own message, whatever parses it", async () => {
  const cases: [line: string, message: string][] = [
    [
      "ps --jsn",
      "cannot understand --jsn: 'hpktainer ps' has no such option; see 'hpktainer ps --help'",
    ],
    [
      "image pull --nope x",
      "cannot understand --nope: 'hpktainer image pull' has no such option; see 'hpktainer image pull --help'",
    ],
    ["ps x", "cannot run 'hpktainer ps': it takes no arguments; see 'hpktainer ps --help'"],
    ["show", "cannot run 'hpktainer show': NAME is missing; see 'hpktainer show --help'"],
    [
      "show a b",
      "cannot run 'hpktainer show': 'b' is one too many; see 'hpktainer show --help'",
    ],
    [
      "show -- -a",
      "cannot run 'hpktainer show': '-a' is not a valid NAME; see 'hpktainer show --help'",
    ],
    [
      "container stop -t soon web",
      "cannot use --time 'soon': it is not a whole number; give one",
    ],
    ["container stop web -t", "cannot use -t: it needs a value; give one"],
    ["container logs --since= web", "cannot use --since '': its value is empty; give one"],
    [
      "image pull --policy once x",
      "cannot use --policy 'once': it has no such value; give one of always, missing, never",
    ],
    ["ps --json=maybe", "cannot use --json=maybe: it is on or off; write true or false"],
    [
      "image build x",
      "cannot run 'hpktainer image build': hpktainer only stores images to run them; build with buildah or podman, and run 'hpktainer image pull oci:DIRECTORY:TAG'",
    ],
    [
      "port nonsense",
      "cannot run 'hpktainer port nonsense': there is no such command; use one of ls, add, rm; see 'hpktainer port --help'",
    ],
    [
      "completions csh",
      "cannot run 'hpktainer completions': 'csh' is not a valid SHELL; give one of bash, zsh, fish",
    ],
  ];
  for (const [line, message] of cases) {
    const error = await assertRejects(() => run(line), HpkError);
    assertEquals(error.message, message, line);
  }
});

Deno.test("what a command prints as help", async () => {
  assertEquals(
    await run("container stop web -h"),
    `Usage: hpktainer container stop [OPTIONS] CONTAINER...

Stop containers, by their stop signal, then by SIGKILL.

Options:
  -t, --time SECONDS   time before SIGKILL; default: the container's, or 10
  -s, --signal SIGNAL  signal, instead of the container's own
  -h, --help           show this help

Examples:
  Immediately:
    hpktainer container stop -t 0 web
`,
  );
  const port = await run("port");
  assertEquals(await run("port --help"), port);
  assertEquals(
    port,
    `Usage: hpktainer port COMMAND

Show and change the published ports of running containers.

Commands:
  ls   list published ports
  add  publish more ports of a running container
  rm   unpublish ports of a running container

Options:
  -h, --help  show this help
`,
  );
});
