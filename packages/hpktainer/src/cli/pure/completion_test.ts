import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Command, findCommand } from "@hpk/core/commands";
import { NETWORK_OPTIONS } from "../../arguments/network_options.ts";
import { complete, completeOwn, completionScript, parseApptainerCompletion } from "./completion.ts";
import { SHELLS } from "./shells.ts";

const OURS = NETWORK_OPTIONS.map(({ name }) => `--${name}`);
const CONTAINERS = ["db", "web1", "web2"];

const NAME = { name: "NAME", completes: "containers" } as const;
const JSON_OPTION = { name: "json", help: "JSON" };
const OWN: readonly Command<undefined>[] = [
  { name: "ps", summary: "", options: [JSON_OPTION] },
  { name: "show", summary: "", arguments: [NAME], options: [JSON_OPTION] },
  {
    name: "port",
    summary: "",
    commands: [
      { name: "ls", aliases: ["list"], summary: "" },
      { name: "rm", summary: "", arguments: [NAME, { name: "PORTS", many: true }] },
    ],
  },
  { name: "stop", summary: "", arguments: [{ ...NAME, many: true }] },
  {
    name: "pull",
    summary: "",
    options: [{ name: "policy", value: "WHEN", choices: ["always", "never"], help: "when" }],
  },
  { name: "shells", summary: "", arguments: [{ name: "SHELL", choices: SHELLS }] },
  { name: "secret", summary: "", hidden: true },
];

Deno.test("complete() offers our words, and the words to ask Apptainer about", () => {
  const cases: [string[], string[], string[] | undefined][] = [
    // words, candidates, words for Apptainer
    [[], ["ps", "show", "port", "stop", "pull", "shells"], [""]],
    [[""], ["ps", "show", "port", "stop", "pull", "shells"], [""]],
    [["p"], ["ps", "port", "pull"], ["p"]],
    [["ex"], [], ["ex"]],
    [["--n"], ["--network", "--no-masquerade", "--name"], ["--n"]],
    [["--ip", "10.96.0.7", "--m"], ["--mtu"], ["--m"]],
    [["--ip", "10.96.0.7", "run", "--m"], ["--mtu"], ["run", "--m"]],
    [["--ip", "10.96.0.7", "pull", "--m"], [], ["pull", "--m"]],
    [["run", "--ip"], ["--ip"], ["run", "--ip"]],
    [["run", "--isolated", "image.sif", "x"], [], ["run", "image.sif", "x"]],
    [["run", "--"], OURS, ["run", "--"]],
    [["run", "--n"], ["--network", "--no-masquerade", "--name"], ["run", "--n"]],
    [["instance", "start", "--m"], ["--mtu"], ["instance", "start", "--m"]],
    [
      ["instance", "start", "--host-network", "--boot-allow", "udev", "--boot", "--boot-"],
      ["--boot-allow", "--boot-timeout"],
      ["instance", "start", "--boot", "--boot-"],
    ],
    [["run", ""], [], ["run", ""]],
    [["instance", "stop", "--"], [], ["instance", "stop", "--"]],
    [["push", "--n"], [], ["push", "--n"]],
    [["run", "--network", ""], ["auto", "flannel", "static", "host", "none"], undefined],
    [["run", "--datapath", "v"], ["veth"], undefined],
    [["--network", "s"], ["static"], undefined],
    [["run", "--ip", "10.96.0.7", "-e", "x"], [], ["run", "-e", "x"]],
    [["run", "--ip=10.96.0.7", "x"], [], ["run", "x"]],
  ];
  for (const [words, candidates, apptainer] of cases) {
    assertEquals(complete(words, OWN), { candidates, apptainer }, words.join(" "));
  }
});

Deno.test("completeOwn() offers subcommands, options, their values, and operands", () => {
  const cases: [string, string[]][] = [
    ["ps ", ["--json"]],
    ["ps x", []],
    ["show ", ["--json", ...CONTAINERS]],
    ["show web", ["web1", "web2"]],
    ["show db w", []],
    ["port ", ["ls", "rm"]],
    ["port list ", []],
    ["port rm w", ["web1", "web2"]],
    ["port rm web1 ", []],
    ["stop db w", ["web1", "web2"]],
    ["pull --p", ["--policy"]],
    ["pull --policy ", ["always", "never"]],
    ["pull --policy n", ["never"]],
    ["shells ", [...SHELLS]],
    ["shells b", ["bash"]],
    ["secret ", []],
  ];
  for (const [line, candidates] of cases) {
    const words = line.split(" ");
    const found = findCommand(OWN, words.slice(0, -1))!;
    const atCursor = { ...found, rest: [...found.rest, words.at(-1)!] };
    const options = (found.command.options ?? []) as readonly typeof JSON_OPTION[];
    assertEquals(completeOwn(atCursor, options, CONTAINERS), candidates, line);
  }
});

Deno.test("no word makes complete() fail", () => {
  const words = ["", "run", "show", "--network", "constructor", "toString", "__proto__", "-", "é"];
  for (const a of words) {
    for (const b of words) for (const c of words) complete([a, b, c], OWN);
  }
});

Deno.test("parseApptainerCompletion() returns the candidates without descriptions and directive", () => {
  const cases: [string, string[]][] = [
    ["run\tRun the command\nrun-help\tShow help\n:4\n", ["run", "run-help"]],
    [":0\n", []],
    ["", []],
    ["--bind\n--boot\n:4", ["--bind", "--boot"]],
  ];
  for (const [stdout, expected] of cases) assertEquals(parseApptainerCompletion(stdout), expected);
});

Deno.test("completionScript() has a script for every shell, which calls hpktainer", () => {
  const marks = { bash: "complete -o default -F", zsh: "#compdef hpktainer", fish: "complete -c" };
  for (const shell of SHELLS) {
    const script = completionScript(shell);
    assertStringIncludes(script, marks[shell]);
    assertStringIncludes(script, "hpktainer complete ");
    assertEquals(script.endsWith("\n"), true);
  }
});
