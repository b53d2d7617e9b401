/**
 * Pins the behaviour of the five packages that this project relies on. The same tests pass with
 * the packages themselves and with the stand-ins of this folder.
 */
import { Command, ValidationError } from "@cliffy/command";
import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotMatch,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { unicodeWidth } from "@std/cli/unicode-width";
import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { parse, stringify } from "@std/ini";
import { getAvailablePort } from "@std/net";

/** Accepts only `true`: fails to compile where two types differ. */
type Same<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false;
const same = <T extends true>(_?: T): void => {};

interface Seen {
  options: Record<string, unknown>;
  args: unknown[];
}

/** A program with one subcommand that has every kind of option, and one that takes it early. */
function program(seen: Seen[]) {
  const run = new Command()
    .description("Run an image.\nMore about it.")
    .arguments("<image:string> [command...:string]")
    .option("-s, --subnet <cidr:string>", "The subnet.")
    .option("-p, --publish <port:string>", "Publish a port.", { collect: true })
    .option("--mtu <bytes:number>", "The MTU.", { default: 1500 })
    .option("--dry-run", "Only print.")
    .option("--no-masquerade", "Leave the source address.")
    .option("--secret", "Not in help.", { hidden: true })
    .example("A web server", "prog run web.sif")
    .stopEarly()
    .action((options, image, ...command) => {
      same<Same<typeof image, string>>();
      same<Same<typeof command, string[]>>();
      same<Same<typeof options.subnet, string | undefined>>();
      same<Same<typeof options.publish, string[] | undefined>>();
      same<Same<typeof options.mtu, number>>();
      same<Same<typeof options.dryRun, true | undefined>>();
      same<Same<typeof options.masquerade, boolean>>();
      seen.push({ options: { ...options }, args: [image, ...command] });
    });
  const list = new Command()
    .description("List.")
    .option("--json", "Print JSON.")
    .option("--count <n:integer>", "How many.", { required: true })
    .action((options) => {
      same<Same<typeof options.count, number>>();
      seen.push({ options: { ...options }, args: [] });
    });
  const state = new Command().description("For the program itself.").hidden()
    .arguments("[id:string]")
    .action((_options, ...args) => {
      seen.push({ options: {}, args });
    });
  return new Command()
    .name("prog")
    .version("1.2.3")
    .description("A program.")
    .noExit()
    .command("run", run)
    .command("list", list).alias("ls")
    .command("state", state);
}

async function runProgram(...argv: string[]): Promise<Seen> {
  const seen: Seen[] = [];
  await program(seen).parse(argv);
  const [first] = seen;
  assertExists(first, `no action ran for: ${argv.join(" ")}`);
  return first;
}

/** Runs the program, which must reject the words; returns the message. */
async function rejection(...argv: string[]): Promise<string> {
  const error = await assertRejects(() => program([]).parse(argv), ValidationError);
  assertEquals(error.exitCode, 2);
  return error.message;
}

/** What `fn` prints by `console.log`. */
async function printed(fn: () => Promise<unknown>): Promise<string> {
  const lines: string[] = [];
  const log = console.log;
  console.log = (...words: unknown[]) => void lines.push(words.join(" "));
  try {
    await fn();
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}

Deno.test("command: options are camel-cased, absent ones absent, defaults present", async () => {
  const bare = await runProgram("run", "a.sif");
  assertEquals(bare, { options: { mtu: 1500, masquerade: true }, args: ["a.sif"] });
  const full = await runProgram(
    ...["run", "-s", "10.0.0.0/24", "--mtu", "9000", "--dry-run", "--no-masquerade"],
    ...["-p", "80:80", "--publish", "53:53/udp", "a.sif"],
  );
  assertEquals(full.options, {
    subnet: "10.0.0.0/24",
    mtu: 9000,
    dryRun: true,
    masquerade: false,
    publish: ["80:80", "53:53/udp"],
  });
  assertEquals((await runProgram("run", "--subnet=a=b", "x")).options["subnet"], "a=b");
});

Deno.test("command: stopEarly leaves the options after the first word alone", async () => {
  const { options, args } = await runProgram("run", "a.sif", "ls", "-l", "--mtu", "1", "-h");
  assertEquals(options["mtu"], 1500);
  assertEquals(args, ["a.sif", "ls", "-l", "--mtu", "1", "-h"]);
});

Deno.test("command: what follows -- is literal and no argument", async () => {
  const seen: Seen[] = [];
  let literal: string[] = [];
  const command = new Command().noExit().arguments("[word...:string]")
    .action((_options, ...args) => {
      seen.push({ options: {}, args });
      literal = command.getLiteralArgs();
    });
  await command.parse(["a", "--", "-b", "--"]);
  assertEquals(seen[0]?.args, ["a"]);
  assertEquals(literal, ["-b", "--"]);
});

Deno.test("command: an alias and a hidden command run, absent arguments are absent", async () => {
  assertEquals(await runProgram("ls", "--count", "3"), { options: { count: 3 }, args: [] });
  assertEquals((await runProgram("state")).args, []);
  assertEquals((await runProgram("state", "x")).args, ["x"]);
});

Deno.test("command: a command can be parsed again without traces of the first time", async () => {
  const seen: Seen[] = [];
  const command = program(seen);
  await command.parse(["run", "-p", "1", "a"]);
  await command.parse(["run", "-p", "2", "b"]);
  assertEquals(seen.map(({ options }) => options["publish"]), [["1"], ["2"]]);
});

Deno.test("command: a line that does not fit throws ValidationError with exit code 2", async () => {
  assertMatch(await rejection("list", "--count", "1", "--typo"), /unknown option.*--typo/i);
  assertMatch(await rejection("list", "--count", "many"), /integer/);
  assertMatch(await rejection("list", "--count"), /count/);
  assertMatch(await rejection("list"), /required option.*--count/i);
  assertMatch(await rejection("list", "--count", "1", "--count", "2"), /only occur once/);
  assertMatch(await rejection("list", "--count", "1", "extra"), /arguments/i);
  assertMatch(await rejection("run"), /missing.*argument.*image/i);
  assertMatch(await rejection("run", "--mtu", "big", "a"), /number/);
  assertMatch(await rejection("walk"), /unknown command.*walk/i);
});

Deno.test("command: an action's own error comes through as it is", async () => {
  const command = new Command().noExit().action(() => {
    throw new TypeError("from the action");
  });
  await assertRejects(() => command.parse([]), TypeError, "from the action");
  const late = new Command().noExit().action(async () => {
    await Promise.resolve();
    throw new ValidationError("late", { exitCode: 5 });
  });
  assertEquals((await assertRejects(() => late.parse([]), ValidationError, "late")).exitCode, 5);
});

Deno.test("command: -h prints help, -V the version, and neither runs the action", async () => {
  const seen: Seen[] = [];
  const help = await printed(() => program(seen).parse(["run", "--help"]));
  for (const part of ["Run an image", "image", "--subnet", "The subnet.", "A web server"]) {
    assertStringIncludes(help, part);
  }
  assertNotMatch(help, /--secret/);
  assertStringIncludes(await printed(() => program(seen).parse(["-V"])), "1.2.3");
  assertStringIncludes(await printed(() => program(seen).parse(["--version"])), "1.2.3");
  assertEquals(seen, []);
});

Deno.test("command: help of a program lists its visible commands", async () => {
  const help = program([]).getHelp();
  for (const part of ["A program.", "run", "Run an image.", "list"]) {
    assertStringIncludes(help, part);
  }
  assertNotMatch(help, /for the program itself/i);
  assertNotMatch(help, /More about it/);
  assertStringIncludes(await printed(() => program([]).parse([])), "A program.");
  assertStringIncludes(
    await printed(() => Promise.resolve(program([]).showHelp())),
    "A program.",
  );
});

Deno.test("parseArgs: booleans, text, collected, defaults, aliases", () => {
  const args = parseArgs(
    ["-v", "--name", "007", "--tag=a", "--tag", "b", "x", "12", "--other", "1"],
    {
      boolean: ["verbose", "quiet"],
      string: ["name", "tag", "absent"],
      collect: ["tag"],
      default: { level: 3 },
      alias: { verbose: "v" },
    },
  );
  assertEquals(args.verbose, true);
  assertEquals(args.quiet, false);
  assertEquals(args.name, "007");
  assertEquals(args.absent, undefined);
  assertEquals(args.tag, ["a", "b"]);
  assertEquals(args.level, 3);
  assertEquals(args._, ["x", 12]);
});

Deno.test("parseArgs: stopEarly, -- and unknown", () => {
  assertEquals(parseArgs(["a", "-b"], { stopEarly: true })._, ["a", "-b"]);
  const split = parseArgs(["a", "--", "-b"], { "--": true });
  assertEquals([split._, split["--"]], [["a"], ["-b"]]);
  const unknown: string[] = [];
  const known = parseArgs(["--typo", "--ok"], {
    boolean: ["ok"],
    unknown: (arg) => {
      unknown.push(arg);
      return false;
    },
  });
  assertEquals([known.ok, unknown], [true, ["--typo"]]);
});

Deno.test("unicodeWidth: counts columns", () => {
  assertEquals(["abc", "\u4f60\u597d", "e\u0301", ""].map(unicodeWidth), [3, 4, 1, 0]);
});

/** What a bar writes, from its making to its stop. */
async function drawn(clear: boolean): Promise<string[]> {
  const frames: string[] = [];
  const writable = new WritableStream<Uint8Array>({
    write: (bytes) => void frames.push(new TextDecoder().decode(bytes)),
  });
  const bar = new ProgressBar({
    writable,
    max: 4,
    clear,
    interval: 5,
    formatter: ({ value, max }) => `${value}/${max}`,
  });
  bar.value = 3;
  while (frames.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  await bar.stop();
  assert(!writable.locked, "it lets go of where it writes");
  return frames;
}

Deno.test("ProgressBar: each frame replaces the line, the end keeps or clears it", async () => {
  const kept = await drawn(false);
  assertEquals(kept.slice(0, 2), ["\r\x1b[K0/4", "\r\x1b[K3/4"]);
  assertEquals(kept.slice(-2), ["\r\x1b[K3/4", "\n"]);
  const cleared = await drawn(true);
  assertEquals(cleared.slice(-2), ["\r\x1b[K3/4", "\r\x1b[K"]);
});

Deno.test("ini: comments, sections, quotes, line ends, equals signs", () => {
  const text = [
    "# one",
    "; two",
    "// three",
    "  A = b=c ; not a comment  ",
    'quoted = "12"',
    'empty = ""',
    'half = "',
    "single = 'x'",
    "[a.b c]",
    "k[]=1",
    "k[]=2",
    "[ s ]",
    "x=y",
  ];
  for (const end of ["\n", "\r\n", "\r"]) {
    assertEquals(parse(text.join(end)), {
      "A": "b=c ; not a comment",
      "quoted": "12",
      "empty": "",
      "half": '"',
      "single": "'x'",
      "a.b c": { "k[]": 2 },
      " s ": { x: "y" },
    });
  }
});

Deno.test("ini: bare words and numbers are converted, a reviver sees every value", () => {
  assertEquals(parse("a=true\nb=false\nc=null\nd=1450\ne=0x10\nf=10.0.0.1/24\ng="), {
    a: true,
    b: false,
    c: null,
    d: 1450,
    e: 16,
    f: "10.0.0.1/24",
    g: 0,
  });
  const seen: unknown[] = [];
  parse("a=1\n[s]\nb=x", { reviver: (...all) => seen.push(all) });
  assertEquals(seen, [["a", 1, undefined], ["b", "x", "s"]]);
});

Deno.test("ini: the last of equal keys and sections counts, __proto__ is a plain key", () => {
  assertEquals(parse("a=1\na=2\n[s]\nx=1\n[s]\ny=2"), { a: 2, s: { y: 2 } });
  const parsed = parse<Record<string, unknown>>("__proto__=1\n[constructor]\n__proto__=2");
  assertEquals(Object.keys(parsed), ["__proto__", "constructor"]);
  assertStrictEquals(Object.getPrototypeOf(parsed), Object.prototype);
});

Deno.test("ini: a malformed line throws SyntaxError with its number", () => {
  assertThrows(() => parse("a=1\n[s"), SyntaxError, "line 2");
  assertThrows(() => parse("[ ]"), SyntaxError, "line 1");
  assertThrows(() => parse("no equals sign"), SyntaxError, "line 1");
  assertThrows(() => parse("=value"), SyntaxError, "line 1");
});

Deno.test("ini: stringify writes scalars first, then sections", () => {
  const object = { s: { x: "y" }, a: 1, b: "t" };
  assertEquals(stringify(object), "a=1\nb=t\n[s]\nx=y");
  assertEquals(stringify(object, { pretty: true, lineBreak: "\r\n" }).split("\r\n")[0], "a = 1");
});

Deno.test("assert: each assertion passes and fails", async () => {
  const cases: [() => void, () => void][] = [
    [() => assert(1), () => assert(0)],
    [() => assertEquals({ a: [1] }, { a: [1] }), () => assertEquals({ a: [1] }, { a: [2] })],
    [() => assertNotEquals(1, 2), () => assertNotEquals([1], [1])],
    [() => assertStrictEquals(1, 1), () => assertStrictEquals<unknown>({}, {})],
    [() => assertExists(0), () => assertExists(null)],
    [() => assertMatch("ab", /b/), () => assertMatch("ab", /c/)],
    [() => assertNotMatch("ab", /c/), () => assertNotMatch("ab", /b/)],
    [() => assertStringIncludes("ab", "b"), () => assertStringIncludes("ab", "c")],
    [() => assertArrayIncludes([1, 2], [2]), () => assertArrayIncludes([1], [2])],
    [
      () => assertObjectMatch({ a: 1, b: 2 }, { a: 1 }),
      () => assertObjectMatch({ a: 1 }, { a: 2 }),
    ],
    [() => assertInstanceOf(new Map(), Map), () => assertInstanceOf({}, Map)],
    [() => assertAlmostEquals(1, 1.05, 0.1), () => assertAlmostEquals(1, 2, 0.1)],
    [() => assertGreater(2, 1), () => assertGreater(1, 1)],
    [() => assertGreaterOrEqual(1, 1), () => assertGreaterOrEqual(0, 1)],
    [() => assertLess(1, 2), () => assertLess(1, 1)],
    [() => assertLessOrEqual(1, 1), () => assertLessOrEqual(2, 1)],
    [() => assertThrows(() => fail("x"), AssertionError, "x"), () => assertThrows(() => {})],
  ];
  for (const [passes, fails] of cases) {
    passes();
    assertThrows(fails, AssertionError);
  }
  await assertRejects(() => Promise.reject(new RangeError("r")), RangeError, "r");
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
});

Deno.test("assert: narrows types", () => {
  const value: string | undefined = ["x"].at(0);
  assertExists(value);
  same<Same<typeof value, string>>();
  const thing: unknown = new Date(0);
  assertInstanceOf(thing, Date);
  assertEquals(thing.getTime(), 0);
  const caught = assertThrows(() => fail("why"), AssertionError);
  assertEquals(caught.message.includes("why"), true);
});

Deno.test("net: getAvailablePort gives a port that can be listened on", () => {
  const port = getAvailablePort();
  using listener = Deno.listen({ port });
  assertEquals(listener.addr.port, port);
  assertNotEquals(getAvailablePort({ preferredPort: port }), port);
});
