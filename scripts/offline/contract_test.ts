/**
 * Pins the behaviour of the five packages that this project relies on. The same tests pass with
 * the packages themselves and with the stand-ins of this folder.
 */
import { Command, ValidationError } from "@cliffy/command";
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { unicodeWidth } from "@std/cli/unicode-width";
import { parse } from "@std/ini";
import { getAvailablePort } from "@std/net";

/** What a command with every kind of option gives its action. */
async function parsed(...words: string[]): Promise<[options: unknown, args: unknown[]]> {
  let seen: [unknown, unknown[]] | undefined;
  // deno-lint-ignore no-explicit-any
  let command: Command<any> = new Command().name("prog").throwErrors()
    .arguments("<image:string> [word...:string]");
  command = command.option("-s, --subnet <value:string>", "The subnet.", {});
  command = command.option("--mtu <value:integer>", "The MTU.", {});
  command = command.option("--wait <value:number>", "How long.", {});
  command = command.option("--publish <value:string>", "A port.", { collect: true });
  command = command.option("--tail <value:string>", "Lines.", { default: "all" });
  command = command.option("--dry-run", "Only print.", {});
  command = command.option("--no-masquerade", "Leave the source address.", {});
  command.action((options: unknown, ...args: unknown[]) => {
    seen = [options, args];
  });
  await command.parse(words);
  assert(seen !== undefined, `no action ran for: ${words.join(" ")}`);
  return seen;
}

Deno.test("command: options are camel-cased and typed, absent ones absent, defaults present", async () => {
  assertEquals(await parsed("a.sif"), [{ tail: "all", masquerade: true }, ["a.sif"]]);
  const words = ["--subnet=a=b", "--mtu=9000", "--wait=0.5", "--dry-run", "--no-masquerade"];
  assertEquals(
    await parsed(...words, "--publish=80:80", "--publish=-1", "--tail=5", "a", "b", ""),
    [
      {
        subnet: "a=b",
        mtu: 9000,
        wait: 0.5,
        dryRun: true,
        masquerade: false,
        publish: ["80:80", "-1"],
        tail: "5",
      },
      ["a", "b", ""],
    ],
  );
});

Deno.test("command: a line that does not fit throws ValidationError", async () => {
  for (
    const words of [[], ["a", "--typo"], ["a", "--mtu=big"], ["a", "--mtu=1.5"], ["a", "--wait="]]
  ) {
    await assertRejects(() => parsed(...words), ValidationError);
  }
});

Deno.test("command: an action's own error comes through as it is", async () => {
  const command = new Command().throwErrors().action(() => {
    throw new TypeError("from the action");
  });
  await assertRejects(() => command.parse([]), TypeError, "from the action");
});

Deno.test("parseArgs: booleans, text, defaults, unknown", () => {
  const unknown: string[] = [];
  const args = parseArgs(["--verbose", "--name", "007", "x", "12", "--typo"], {
    boolean: ["verbose", "quiet"],
    string: ["name", "absent"],
    default: { level: 3 },
    unknown: (word, key) => {
      if (key !== undefined) unknown.push(word);
      return key === undefined;
    },
  });
  assertEquals([args.verbose, args.quiet, args.name, args.absent], [true, false, "007", undefined]);
  assertEquals([args.level, args._, unknown], [3, ["x", 12], ["--typo"]]);
});

Deno.test("unicodeWidth: counts columns", () => {
  assertEquals(["abc", "\u4f60\u597d", "e\u0301", ""].map(unicodeWidth), [3, 4, 1, 0]);
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

Deno.test("ini: bare words and numbers are converted", () => {
  assertEquals(parse("a=true\nb=false\nc=null\nd=1450\ne=0x10\nf=10.0.0.1/24\ng="), {
    a: true,
    b: false,
    c: null,
    d: 1450,
    e: 16,
    f: "10.0.0.1/24",
    g: 0,
  });
});

Deno.test("ini: __proto__ is a plain key", () => {
  const parsed = parse<Record<string, unknown>>("__proto__=1\n[constructor]\n__proto__=2");
  assertEquals(Object.keys(parsed), ["__proto__", "constructor"]);
  assertStrictEquals(Object.getPrototypeOf(parsed), Object.prototype);
});

Deno.test("ini: a malformed line throws SyntaxError", () => {
  for (const line of ["[s", "[ ]", "no equals sign", "=value"]) {
    assertThrows(() => parse(line), SyntaxError);
  }
});

Deno.test("assert: each assertion passes and fails", async () => {
  const cases: [() => void, () => void][] = [
    [() => assert(1), () => assert(0)],
    [() => assertEquals({ a: [1] }, { a: [1] }), () => assertEquals({ a: [1] }, { a: [2] })],
    [() => assertNotEquals(1, 2), () => assertNotEquals([1], [1])],
    [() => assertStrictEquals(1, 1), () => assertStrictEquals<unknown>({}, {})],
    [() => assertMatch("ab", /b/), () => assertMatch("ab", /c/)],
    [() => assertStringIncludes("ab", "b"), () => assertStringIncludes("ab", "c")],
    [() => assertInstanceOf(new Map(), Map), () => assertInstanceOf({}, Map)],
    [() => assertGreater(2, 1), () => assertGreater(1, 1)],
    [() => assertGreaterOrEqual(1, 1), () => assertGreaterOrEqual(0, 1)],
    [() => assertLess(1, 2), () => assertLess(1, 1)],
    [
      () =>
        assertThrows(
          () => {
            throw new RangeError("x");
          },
          RangeError,
          "x",
        ),
      () => assertThrows(() => {}),
    ],
  ];
  for (const [passes, fails] of cases) {
    passes();
    assertThrows(fails, AssertionError);
  }
  await assertRejects(() => Promise.reject(new RangeError("r")), RangeError, "r");
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
});

Deno.test("net: getAvailablePort gives a port that can be listened on", () => {
  const port = getAvailablePort();
  using listener = Deno.listen({ port });
  assertEquals(listener.addr.port, port);
});
