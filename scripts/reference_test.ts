import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { resolveSettings } from "@hpk/core";
import { type Command, commandNamed, findCommand, optionsOf } from "@hpk/core/commands";
import { commandHelp, optionLines } from "@hpk/core/command-help";
import { runCommand } from "@hpk/core/command-line";
import { type SettingRow, SETTINGS } from "@hpk/core/settings-table";
import {
  networkOptions,
  readNetworkOptions,
} from "../packages/hpktainer/src/arguments/network_options.ts";
import { complete, completeOwn } from "../packages/hpktainer/src/cli/pure/completion.ts";
import { mainHelp } from "../packages/hpktainer/src/cli/pure/help.ts";
import { type DocNode, jsonPage } from "./json_page.ts";
import { PROGRAMS } from "./reference.ts";
import { cliPage, configurationPage } from "./reference_pages.ts";

Deno.test("a further setting is one row: option, variable, key, help, completion, reference", () => {
  const row: SettingRow<"slow" | "fast"> = {
    fallback: "slow",
    expected: "one of slow, fast",
    choices: ["slow", "fast"],
    read: (text) => text === "slow" || text === "fast" ? text : undefined,
    about: "How fast packets go.",
    option: { value: "PACE", help: "slow or fast" },
  };
  const settings = { ...SETTINGS, "packet-pace": row };
  const options = networkOptions(settings);
  assertEquals(readNetworkOptions([["packet-pace", "fast"]], settings).settings, {
    "packet-pace": "fast",
  } as Record<string, string>);
  const resolve = (environment: Record<string, string>, text = "") => {
    const file = { path: "/c.ini", text };
    const { settings: found } = resolveSettings({ file, environment, options: {} }, settings);
    return (found as unknown as Record<string, unknown>)["packetPace"];
  };
  assertEquals(resolve({}), "slow");
  assertEquals(resolve({ HPK_PACKET_PACE: "fast" }), "fast");
  assertEquals(resolve({}, "[network]\npacket-pace = fast\n"), "fast");
  assertThrows(() => resolve({ HPK_PACKET_PACE: "no" }), Error, "HPK_PACKET_PACE: cannot use");
  assertStringIncludes(optionLines(options), "--packet-pace PACE  slow or fast");
  assertEquals(complete(["run", "--pa"], [], options).candidates, ["--packet-pace"]);
  assertEquals(complete(["run", "--packet-pace", "f"], [], options).candidates, ["fast"]);
  const page = configurationPage(settings, "/c.ini");
  assertStringIncludes(
    page,
    "| `packet-pace` | How fast packets go. | one of slow, fast | `slow` |",
  );
  assertStringIncludes(page, "| `packet-pace` | `HPK_PACKET_PACE` | `--packet-pace PACE` |");
});

Deno.test("a further command is one row: its words, help, completion, reference", async () => {
  const seen: unknown[] = [];
  const row: Command<string> = {
    name: "race",
    summary: "let containers race",
    arguments: [{ name: "CONTAINER", many: true, completes: "containers" }],
    options: [{ name: "laps", letter: "l", value: "COUNT", type: "integer", help: "how many" }],
    output: "{version, winner: string}",
    load: () =>
      Promise.resolve((context, options, ...args) => void seen.push(context, options, args)),
  };
  const commands = [row];
  const found = findCommand(commands, ["race", "-l3", "a", "b"])!;
  assertEquals(await runCommand(found, { program: "p", context: "ctx", print: () => {} }), 0);
  assertEquals(seen, ["ctx", { laps: 3 }, ["a", "b"]]);
  assertStringIncludes(mainHelp("1", commands), "race CONTAINER...  let containers race");
  const options = await optionsOf(row);
  assertStringIncludes(commandHelp(row, options, "p race"), "-l, --laps COUNT  how many");
  const atCursor = { command: row, path: ["race"], rest: [""] };
  assertEquals(completeOwn(atCursor, options, ["a", "b"]), ["--laps", "a", "b"]);
  const page = await cliPage([{ name: "p", about: "A program.", commands }], []);
  for (const part of ["### p race", "Let containers race.", "| `-l, --laps COUNT` | how many |"]) {
    assertStringIncludes(page, part);
  }
  const json = jsonPage([{ name: "p", about: "", commands }], []);
  assertStringIncludes(json, "| `p race CONTAINER... --json` | {version, winner: string} |");
});

Deno.test("every setting is in the reference, and completes where it has an option", async () => {
  const page = configurationPage(SETTINGS, "/c.ini");
  const cli = await cliPage(PROGRAMS, networkOptions(SETTINGS));
  for (
    const [key, { option, about }] of Object.entries(SETTINGS) as [string, SettingRow<unknown>][]
  ) {
    assertStringIncludes(page, `| \`${key}\` | ${about}`);
    if (option === undefined) continue;
    const name = option.negated ? `--no-${key}` : `--${key}`;
    assert(complete(["run", name], []).candidates.includes(name), name);
    assertStringIncludes(cli, `| \`${name}`);
  }
});

Deno.test("every command that prints JSON says of what shape", async () => {
  const check = async (commands: readonly Command<never>[]): Promise<void> => {
    for (const command of commands) {
      const hasJson = (await optionsOf(command)).some(({ name }) => name === "json");
      const isTold = command.output !== undefined || command.name === "boot-overrides";
      assertEquals(isTold, hasJson, command.name);
      await check(command.commands ?? []);
    }
  };
  for (const { commands } of PROGRAMS) await check(commands);
  assert(commandNamed(PROGRAMS[0]!.commands, "ps")?.output !== undefined);
});

Deno.test("help of every program is text of at most 100 columns without escape sequences", async () => {
  const check = async (commands: readonly Command<never>[], above: string): Promise<void> => {
    for (const command of commands) {
      const text = commandHelp(command, await optionsOf(command), `${above} ${command.name}`);
      for (const line of text.split("\n")) assert(line.length <= 100, line);
      assert(!text.includes("\x1b"), text);
      await check(command.commands ?? [], `${above} ${command.name}`);
    }
  };
  for (const { name, commands } of PROGRAMS) await check(commands, name);
});

Deno.test("jsonPage() shows members, lists, other types, and names what is not documented", () => {
  const string = { kind: "keyword", repr: "string" };
  const list = (array: DocNode["name"] | object) => ({
    kind: "array",
    repr: "",
    array: typeof array === "string"
      ? { kind: "typeRef", repr: array, typeRef: { typeName: array } }
      : array as never,
  });
  const doc = (text: string) => ({ jsDoc: { doc: text } });
  const commands = [{ name: "ls", summary: "list", output: "{version, all: [Box]}" }];
  const program = { name: "p", about: "", commands };
  const nodes: DocNode[] = [
    {
      name: "Box",
      ...doc("A box."),
      interfaceDef: {
        extends: [],
        properties: [
          { name: "id", ...doc("Its name."), tsType: string },
          { name: "inside", ...doc("Boxes in it."), tsType: list("Box") },
          {
            name: "lids",
            ...doc("Its lids."),
            tsType: list({
              kind: "typeLiteral",
              repr: "",
              typeLiteral: { properties: [{ name: "w", ...doc("Width."), tsType: string }] },
            }),
          },
        ],
      },
    },
  ];
  const page = jsonPage([program], nodes);
  for (
    const line of [
      "| `p ls --json` | {version, all: [[Box](#box)]} |",
      "## Box\n\nA box.",
      "| `id` | string | Its name. |",
      "| `inside[]` | list of [Box](#box) | Boxes in it. |",
      "| `lids[].w` | string | Width. |",
    ]
  ) assertStringIncludes(page, line);
  assertThrows(() => jsonPage([program], []), Error, "no declaration of Box: add its module");
  const bare = { name: "Box", interfaceDef: { extends: [], properties: [{ name: "id" }] } };
  assertThrows(() => jsonPage([program], [bare]), Error, "no documentation of Box.id");
});
