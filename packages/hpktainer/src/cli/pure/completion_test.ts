import { assertEquals, assertStringIncludes } from "@std/assert";
import { complete, completionScript, parseApptainerCompletion, SHELLS } from "./completion.ts";

const OURS = [
  "--network",
  "--subnet",
  "--subnet6",
  "--ip",
  "--datapath",
  "--dns",
  "--name",
  "--uplink",
  "--mtu",
  "--host-network",
  "--wait",
  "--publish",
  "--isolated",
  "--no-masquerade",
  "--allow-imds",
];
const CONTAINERS = ["db", "web1", "web2"];

const OWN = [
  ...["ps", "show", "port", "gc", "doctor", "container", "image", "images", "rmi", "completions"],
];

Deno.test("complete() offers ours, and says what Apptainer is to be asked", () => {
  const cases: [string[], string[], string[] | undefined][] = [
    // words, candidates, words for Apptainer
    [[], OWN, [""]],
    [[""], OWN, [""]],
    [["p"], ["ps", "port"], ["p"]],
    [["ex"], [], ["ex"]],
    [["--n"], ["--network", "--name", "--no-masquerade"], ["--n"]],
    [["--ip", "10.96.0.7", "--m"], ["--mtu"], ["--m"]],
    [["--ip", "10.96.0.7", "run", "--m"], ["--mtu"], ["run", "--m"]],
    [["--ip", "10.96.0.7", "pull", "--m"], [], ["pull", "--m"]],
    [["run", "--ip"], ["--ip"], ["run", "--ip"]],
    [["ps", ""], ["--json"], undefined],
    [["ps", "x"], [], undefined],
    [["show", ""], ["--json", ...CONTAINERS], undefined],
    [["show", "web"], ["web1", "web2"], undefined],
    [["container", "s"], ["start", "stop"], undefined],
    [["image", "p"], ["pull", "prune"], undefined],
    [["images", "--d"], ["--digests"], undefined],
    [["rmi", "--"], ["--force", "--json"], undefined],
    [["port", ""], ["ls", "add", "rm", "--json"], undefined],
    [["port", "rm", "w"], ["web1", "web2"], undefined],
    [["run", "--isolated", "image.sif", "x"], [], ["run", "image.sif", "x"]],
    [["gc", "--"], ["--dry-run", "--json"], undefined],
    [["completions", ""], [...SHELLS], undefined],
    [["run", "--"], OURS, ["run", "--"]],
    [["run", "--n"], ["--network", "--name", "--no-masquerade"], ["run", "--n"]],
    [["instance", "start", "--m"], ["--mtu"], ["instance", "start", "--m"]],
    [
      ["instance", "start", "--host-network", "--boot-allow", "udev", "--boot", "--boot-"],
      ["--boot-allow", "--boot-timeout"],
      ["instance", "start", "--boot", "--boot-"],
    ],
    [["run", ""], [], ["run", ""]],
    [["instance", "stop", "--"], [], ["instance", "stop", "--"]],
    [["pull", "--n"], [], ["pull", "--n"]],
    [["run", "--network", ""], ["flannel", "static", "host", "none"], undefined],
    [["run", "--datapath", "v"], ["veth"], undefined],
    [["--network", "s"], ["static"], undefined],
    [["run", "--ip", "10.96.0.7", "-e", "x"], [], ["run", "-e", "x"]],
    [["run", "--ip=10.96.0.7", "x"], [], ["run", "x"]],
  ];
  for (const [words, candidates, apptainer] of cases) {
    assertEquals(complete(words, CONTAINERS), { candidates, apptainer }, words.join(" "));
  }
});

Deno.test("no word makes complete() fail", () => {
  const words = ["", "run", "show", "--network", "constructor", "toString", "__proto__", "-", "é"];
  for (const a of words) {
    for (const b of words) for (const c of words) complete([a, b, c], CONTAINERS);
  }
});

Deno.test("parseApptainerCompletion() takes the candidates without descriptions and directive", () => {
  const cases: [string, string[]][] = [
    ["run\tRun the command\nrun-help\tShow help\n:4\n", ["run", "run-help"]],
    [":0\n", []],
    ["", []],
    ["--bind\n--boot\n:4", ["--bind", "--boot"]],
  ];
  for (const [stdout, expected] of cases) assertEquals(parseApptainerCompletion(stdout), expected);
});

Deno.test("completionScript() has a script for every shell, which calls us back", () => {
  const marks = { bash: "complete -o default -F", zsh: "#compdef hpktainer", fish: "complete -c" };
  for (const shell of SHELLS) {
    const script = completionScript(shell);
    assertStringIncludes(script, marks[shell]);
    assertStringIncludes(script, "hpktainer complete ");
    assertEquals(script.endsWith("\n"), true);
  }
});
