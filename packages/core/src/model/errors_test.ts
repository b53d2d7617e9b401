import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { errorLine, EXIT_OWN_FAILURE, HpkError, oneLine, requireRoot } from "./errors.ts";

const PARTS = { what: "cannot use subnet 10.22.0.0/16", why: "it is taken", fix: "choose another" };

Deno.test("HpkError says what, why and what to do in one line", () => {
  const cause = new Error("deeper");
  const error = new HpkError(PARTS, { cause });
  assertEquals(error.message, "cannot use subnet 10.22.0.0/16: it is taken; choose another");
  assertEquals([error.name, error.parts], ["HpkError", PARTS]);
  assertInstanceOf(error, Error);
  assertStrictEquals(error.cause, cause);
});

Deno.test("HpkError folds the lines of another tool's message", () => {
  const error = new HpkError({
    what: "cannot run x",
    why: "it says: a\n\tb\r\n",
    fix: "repair it",
  });
  assertEquals(error.message, "cannot run x: it says: a b ; repair it");
});

Deno.test("errorLine() distinguishes expected failures from bugs", () => {
  const report = "please report it with the output of 'hpktainer doctor --json'";
  const cases: [unknown, string][] = [
    [new HpkError(PARTS), "hpktainer: cannot use subnet 10.22.0.0/16: it is taken; choose another"],
    [new TypeError("x is\nundefined"), `unexpected failure: TypeError: x is undefined; ${report}`],
    ["a text", `unexpected failure: a text; ${report}`],
    [undefined, `unexpected failure: undefined; ${report}`],
  ];
  for (const [thrown, expected] of cases) {
    const line = errorLine("hpktainer", thrown);
    assertEquals(line, expected.startsWith("hpktainer") ? expected : `hpktainer: ${expected}`);
  }
});

Deno.test("oneLine() folds white space and trims", () => {
  assertEquals(oneLine("  a\n\n b\t\tc \r\n"), "a b c");
  assertEquals(oneLine(""), "");
});

Deno.test("our own failure has the exit status that Docker and Podman use", () => {
  assertEquals(EXIT_OWN_FAILURE, 125);
});

Deno.test("requireRoot() names the user who is not root, and what to do", () => {
  requireRoot({ uid: 0 }, "cannot do it");
  const { message } = assertThrows(() => requireRoot({ uid: 1000 }, "cannot do it"), HpkError);
  assertEquals(
    message,
    "cannot do it: that takes root, and you are uid 1000; run it with sudo",
  );
  assertThrows(() => requireRoot({ uid: null }, "cannot do it", "ask"), HpkError, "; ask");
});
