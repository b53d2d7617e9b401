import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CONTAINER_VERBS } from "../../arguments/apptainer_options.ts";
import { OWN_COMMANDS, readArguments } from "../../arguments/arguments.ts";
import { containerHelp, mainHelp } from "./help.ts";
import { NETWORK_OPTIONS } from "../../arguments/network_options.ts";

const HIDDEN = ["monitor", "complete"];

/** The commands of the lines that begin with two spaces and our name. */
const examplesOf = (text: string): string[] =>
  [...text.matchAll(/^ {2}hpktainer (.*?)(?: {2,}.*)?$/gm)].map((match) => match[1]!);

Deno.test("mainHelp() names the version, every command and every option", () => {
  const help = mainHelp("1.2.3");
  assertEquals(help.split(":")[0], "hpktainer 1.2.3");
  for (const command of OWN_COMMANDS) {
    assertEquals(
      new RegExp(`^ {2}${command} `, "m").test(help),
      !HIDDEN.includes(command),
      command,
    );
  }
  for (const { name, value = "" } of NETWORK_OPTIONS) {
    assertStringIncludes(help, `  --${name} ${value}`);
  }
  assertStringIncludes(help, "125 when hpktainer itself fails");
});

Deno.test("containerHelp() shows usage, every option, and the rule for Apptainer's own network", () => {
  const usage: Record<typeof CONTAINER_VERBS[number], string> = {
    "run": "run [OPTIONS] IMAGE [ARG...]",
    "exec": "exec [OPTIONS] IMAGE COMMAND [ARG...]",
    "shell": "shell [OPTIONS] IMAGE",
    "instance start": "instance start [OPTIONS] IMAGE NAME [ARG...]",
    "instance run": "instance run [OPTIONS] IMAGE NAME [ARG...]",
  };
  for (const verb of CONTAINER_VERBS) {
    const help = containerHelp(verb);
    assertEquals(help.split("\n")[0], `Usage: hpktainer ${usage[verb]}`);
    for (const { name } of NETWORK_OPTIONS) assertStringIncludes(help, `  --${name} `);
    for (const option of ["--net ", "--network-args", "--netns-path"]) {
      assertStringIncludes(help, option);
    }
  }
});

Deno.test("every example of the help is a command line that we take", () => {
  const texts = [mainHelp("1.2.3"), ...CONTAINER_VERBS.map(containerHelp)];
  const examples = texts.flatMap(examplesOf);
  assert(examples.length >= 4 + CONTAINER_VERBS.length, `${examples.length} examples`);
  for (const example of examples) {
    assertEquals(readArguments(example.split(" ")).kind, "container", example);
  }
});

Deno.test("no line of the help is wider than 100 columns", () => {
  for (const text of [mainHelp("1.2.3"), ...CONTAINER_VERBS.map(containerHelp)]) {
    for (const line of text.split("\n")) assert(line.length <= 100, line);
    assert(text.endsWith("\n") && !text.endsWith("\n\n"));
  }
});
