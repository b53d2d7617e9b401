import { assert, assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { asksForDebug, type ContainerInvocation, mayBeOwn, readArguments } from "./arguments.ts";

/** A command line as typed, without quotes. */
const OWN = ["ps", "port", "monitor"];
const read = (line: string) => readArguments(line === "" ? [] : line.split(" "), OWN);

/** Reads one that starts a container. */
function container(argv: string | readonly string[]): ContainerInvocation {
  const invocation = typeof argv === "string" ? read(argv) : readArguments(argv);
  assert(invocation.kind === "container", `${argv}: ${invocation.kind}`);
  return invocation;
}

const refusal = (argv: string | readonly string[]): string =>
  assertThrows(() => typeof argv === "string" ? read(argv) : readArguments(argv), HpkError).message;

Deno.test("readArguments() finds the verb, the image and what follows it", () => {
  const cases: [string, string, string, string[]][] = [
    ["run x.sif", "run", "x.sif", []],
    ["run docker://alpine:3 a b", "run", "docker://alpine:3", ["a", "b"]],
    ["exec x.sif ls -l /", "exec", "x.sif", ["ls", "-l", "/"]],
    ["exec x.sif --name y --ip 1 -- -B", "exec", "x.sif", ["--name", "y", "--ip", "1", "--", "-B"]],
    ["exec -- x.sif true", "exec", "x.sif", ["true"]],
    ["-- exec x.sif true", "exec", "x.sif", ["true"]],
    ["exec - true", "exec", "-", ["true"]],
    ["shell x.sif", "shell", "x.sif", []],
    ["instance start x.sif web -p 80", "instance start", "x.sif", ["web", "-p", "80"]],
    ["instance run x.sif web", "instance run", "x.sif", ["web"]],
    ["run run run", "run", "run", ["run"]],
  ];
  for (const [line, verb, image, rest] of cases) {
    const found = container(line);
    assertEquals([found.verb, found.image, found.rest], [verb, image, rest], line);
  }
});

Deno.test("readArguments() keeps Apptainer's options as they were typed, in order", () => {
  const cases: [string, string[], string[]][] = [
    // line, global options, options
    ["-d --quiet -c /x.conf run x", ["-d", "--quiet", "-c", "/x.conf"], []],
    ["--config=/x.conf -dv run x", ["--config=/x.conf", "-dv"], []],
    ["run --bind /a:/b --cleanenv x", [], ["--bind", "/a:/b", "--cleanenv"]],
    ["run --bind=/a --bind=/b x", [], ["--bind=/a", "--bind=/b"]],
    ["run -ce -B /a x", [], ["-ce", "-B", "/a"]],
    ["run -B/a x", [], ["-B/a"]],
    ["run -B=/a x", [], ["-B=/a"]],
    ["run -eB /a x", [], ["-eB", "/a"]],
    ["run -eB/a:/b x", [], ["-eB/a:/b"]],
    ["run --bind --cleanenv x", [], ["--bind", "--cleanenv"]],
    ["run -B -e x", [], ["-B", "-e"]],
    ["run --env A=b=c x", [], ["--env", "A=b=c"]],
    ["run --brand-new=1 x", [], ["--brand-new=1"]],
    ["run --pwd= x", [], ["--pwd="]],
    ["run --no-home=false x", [], ["--no-home=false"]],
  ];
  for (const [line, globals, options] of cases) {
    const found = container(line);
    assertEquals([found.globals, found.options, found.image], [globals, options, "x"], line);
  }
});

Deno.test("readArguments() hands on words with spaces, UTF-8, and nothing in them", () => {
  const found = container([
    "run",
    "--bind",
    "/a b:/ü",
    "--pwd",
    "",
    "my image.sif",
    "",
    "x y",
    "ß",
  ]);
  assertEquals(found.options, ["--bind", "/a b:/ü", "--pwd", ""]);
  assertEquals([found.image, found.rest], ["my image.sif", ["", "x y", "ß"]]);
});

Deno.test("readArguments() takes ours before or after the command and before the image", () => {
  const settings = { network: "static", subnet: "10.96.0.0/24" };
  const lines = [
    "--network static --subnet 10.96.0.0/24 --ip 10.96.0.7 --name web exec -e x true",
    "exec --network static --subnet 10.96.0.0/24 --ip 10.96.0.7 --name web -e x true",
    "--network=static --ip=10.96.0.7 exec --subnet=10.96.0.0/24 -e --name=web x true",
    "--network host exec --network static -e --subnet 10.96.0.0/24 --ip 10.96.0.7 --name web x true",
  ];
  for (const line of lines) {
    const { network, options, globals } = container(line);
    assertEquals(network, { settings, ip: "10.96.0.7", name: "web" }, line);
    assertEquals([globals, options], [[], ["-e"]], line);
  }
});

Deno.test("readArguments() joins the DNS servers of both places", () => {
  assertEquals(
    container("--dns 192.0.2.1 run --dns 192.0.2.2 --dns=192.0.2.3 x").network.settings,
    { dns: "192.0.2.1,192.0.2.2,192.0.2.3" },
  );
});

Deno.test("readArguments() drops --net, since every container has a network of its own", () => {
  for (const line of ["run --net x", "run -n x", "run --net=true x"]) {
    const found = container(line);
    assertEquals([found.ownNetwork, found.options], [true, []], line);
  }
  assertEquals(container("run -en x").options, ["-e"]);
  assertEquals(container("run -nB /a x").options, ["-B", "/a"]);
  assertEquals(container("run -e x").ownNetwork, false);
});

Deno.test("readArguments() sees the host name and the pid file that Apptainer is asked for", () => {
  const cases: [string, string | undefined, string | undefined][] = [
    ["run x", undefined, undefined],
    ["run --hostname h x", "h", undefined],
    ["run --hostname a --hostname=b x", "b", undefined],
    ["instance start --pid-file /p x web", undefined, "/p"],
    ["instance start --pid-file=/p --hostname h x web", "h", "/p"],
    ["run x --hostname h", undefined, undefined],
  ];
  for (const [line, hostname, pidFile] of cases) {
    const found = container(line);
    assertEquals([found.hostname, found.pidFile], [hostname, pidFile], line);
  }
});

Deno.test("readArguments() names an instance by Apptainer's own argument", () => {
  for (const line of ["instance start x web", "instance run --name web x web -- a"]) {
    assertEquals(container(line).network.name, "web", line);
  }
});

Deno.test("readArguments() joins a running instance with the command line untouched", () => {
  const cases: [string, string][] = [
    ["exec instance://web ls -l", "web"],
    ["shell instance://web", "web"],
    ["-d run -e --net instance://a.b", "a.b"],
  ];
  for (const [line, instance] of cases) {
    assertEquals(read(line), { kind: "join", args: line.split(" "), instance });
  }
});

Deno.test("asksForDebug() goes by the options before the command", () => {
  const cases: [string, boolean][] = [
    ["--debug ps", true],
    ["-d exec x.sif true", true],
    ["-qd --subnet 10.96.0.0/24 run x.sif", true],
    ["--subnet 10.96.0.0/24 --debug run x.sif", true],
    ["--debug", true],
    ["exec x.sif --debug", false],
    ["run -d x.sif", false],
    ["-c -d ps", false],
    ["", false],
  ];
  for (const [line, asks] of cases) {
    assertEquals(asksForDebug(line === "" ? [] : line.split(" ")), asks, line);
  }
});

Deno.test("readArguments() leaves every other command of Apptainer alone", () => {
  const lines = [
    ..."pull docker://alpine|build x.sif x.def|inspect --json x.sif|-d pull x|-- pull x".split("|"),
    ..."instance list|instance|instance list --json|instance stats web|instance --help".split("|"),
    ..."version|help pull|help instance|help instance list|key list|sif list x|nonsense".split("|"),
    ..."pull --name x.sif y|test x.sif|run-help x.sif|run_help|cache clean -f|completion bash"
      .split("|"),
  ];
  for (const line of lines) {
    assertEquals(read(line), { kind: "passthrough", args: line.split(" ") }, line);
  }
});

Deno.test("readArguments() knows our own commands, stop, version and help", () => {
  for (const command of OWN) {
    assertEquals(read(`${command} --json x`), { kind: "own", args: [command, "--json", "x"] });
    assertEquals(read(`-d ${command}`), { kind: "own", args: [command] });
  }
  assertEquals(read("help port add"), { kind: "own", args: ["port", "add", "--help"] });
  const stop = "instance stop --all";
  assertEquals(read(stop), { kind: "stop", args: stop.split(" ") });
  for (const line of ["--version", "-q --version", "--version run x"]) {
    assertEquals(read(line), { kind: "version" }, line);
  }
  const cases: [string, string | undefined][] = [
    ["", undefined],
    ["-h", undefined],
    ["--help", undefined],
    ["--help ps", undefined],
    ["-d", undefined],
    ["help", undefined],
    ["help run", "run"],
    ["help instance start", "instance start"],
    ["run --help", "run"],
    ["exec -h", "exec"],
    ["exec -eh x", "exec"],
    ["instance run --help", "instance run"],
  ];
  for (const [line, verb] of cases) assertEquals(read(line), { kind: "help", verb } as never, line);
  assertEquals(container("exec x --help").rest, ["--help"]);
  assertEquals(container("exec x --version").rest, ["--version"]);
});

Deno.test("readArguments() refuses an invalid command line, in one line", () => {
  const after = "write options of the program after the image";
  const unknown = (option: string, command: string) =>
    `cannot understand ${option}: it is not a known option of hpktainer or apptainer${command}; ` +
    (option.startsWith("--")
      ? `write ${option}=VALUE to pass it to Apptainer, and ${after.slice(6)}`
      : after);
  const noImage = (line: string) =>
    `cannot run 'hpktainer ${line}': no image is named; write hpktainer ${line} [OPTIONS] IMAGE`;
  const noValue = (option: string) => `cannot use ${option}: it needs a value; give one`;
  const empty = (option: string) => `cannot use ${option}: its value is empty; give one`;
  const stays = "leave the option out";
  const cni = "it is for Apptainer's CNI plugins, and hpktainer sets up the network; " +
    "use --ip for an address, or run apptainer itself";
  const namespace = "hpktainer creates the network namespace itself; " +
    "leave it out, or run apptainer itself";
  const cases: [string, string][] = [
    ["run", noImage("run")],
    ["exec -e", noImage("exec")],
    ["shell --", noImage("shell")],
    ["instance start", `${noImage("instance start")} NAME`],
    [
      "instance start x",
      "cannot run 'hpktainer instance start': the instance's name is missing; " +
      "write hpktainer instance start [OPTIONS] IMAGE NAME",
    ],
    [
      "instance start --name a x b",
      "cannot name the instance both 'b' and 'a': " +
      "an instance has one name; leave --name out",
    ],
    ["--colour run x", unknown("--colour", "")],
    ["-Z run x", unknown("-Z", "")],
    ["-B /a run x", unknown("-B", "")],
    ["run --colour x", unknown("--colour", " run")],
    ["exec -eZ x true", unknown("-Z", " exec")],
    ["instance start --json x web", unknown("--json", " instance start")],
    ["run --bind", noValue("--bind")],
    ["run -B", noValue("-B")],
    ["run -eB", noValue("-B")],
    ["run --ip", noValue("--ip")],
    ["--network", noValue("--network")],
    ["run --ip= x", empty("--ip")],
    ["--network= run x", empty("--network")],
    ["run --network-args x y", `cannot use --network-args: ${cni}`],
    ["run --network-args=IP=10.0.0.1 y", `cannot use --network-args: ${cni}`],
    ["run --netns-path /run/netns/x y", `cannot use --netns-path: ${namespace}`],
    ["exec --netns-path=/run/netns/x instance://web ls", `cannot use --netns-path: ${namespace}`],
    [
      "exec --ip 10.96.0.7 instance://web ls",
      `cannot use --ip with instance://web: the instance already has its network; ${stays}`,
    ],
    [
      "--name web exec instance://web ls",
      `cannot use --name with instance://web: the instance already has its network; ${stays}`,
    ],
    [
      "--mtu 1400 pull x",
      `cannot use --mtu with 'pull': that command of Apptainer does not start a container; ${stays}`,
    ],
    [
      "--ip 10.96.0.7 instance stop web",
      `cannot use --ip with 'instance': that command of Apptainer does not start a container; ${stays}`,
    ],
    [
      "--network host ps",
      `cannot use --network with 'ps': 'hpktainer ps' does not start a container; ${stays}`,
    ],
  ];
  for (const [line, message] of cases) assertEquals(refusal(line), message, line);
});

Deno.test("readArguments() refuses names that a container cannot have", () => {
  const why =
    "a name has at most 63 letters, digits, hyphens, dots and underscores and begins with " +
    "a letter or digit";
  for (const name of ["-x", "a b", "../a", "é", "a/b", "a".repeat(64)]) {
    const message = `cannot name a container '${name}': ${why}; choose another name`;
    assertEquals(refusal(["run", "--name", name, "x"]), message);
    assertEquals(refusal(["instance", "start", "x", name]), message);
  }
});

Deno.test("no command line makes readArguments() fail but with an explanation", () => {
  const words = [
    ...[
      "run",
      "exec",
      "instance",
      "start",
      "stop",
      "ps",
      "help",
      "pull",
      "x.sif",
      "instance://web",
    ],
    ...["--", "-", "-e", "-B", "-enB=", "--net", "--ip", "--ip=", "--dns=a", "--bind", "--x=", ""],
    ...["--network-args=", "--help", "--version", "__proto__", "--toString", "-é"],
  ];
  const check = (argv: readonly string[]) => {
    try {
      const found = readArguments(argv);
      if (found.kind === "passthrough") assertEquals(found.args, argv);
    } catch (error) {
      if (!(error instanceof HpkError)) throw new Error(argv.join(" "), { cause: error });
    }
  };
  for (const a of words) {
    for (const b of words) {
      for (const c of words) for (const d of words.slice(0, 16)) check([a, b, c, d]);
    }
    check([a]);
  }
});

Deno.test("mayBeOwn() rules out starts, and command lines without a command", () => {
  const cases: [line: string, expected: boolean][] = [
    ["", false],
    ["--version", false],
    ["--version ps", false],
    ["exec image true", false],
    ["--ip 10.96.0.7 run image", false],
    ["instance list", false],
    ["ps --json", true],
    ["-d gc", true],
    ["help ps", true],
    ["inspect image", true],
  ];
  for (const [line, expected] of cases) {
    assertEquals(mayBeOwn(line === "" ? [] : line.split(" ")), expected, line);
  }
});
