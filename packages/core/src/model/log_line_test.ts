import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "./errors.ts";
import {
  escapeControls,
  formatCommandLine,
  formatLogLine,
  LOG_LEVELS,
  parseLogLevel,
} from "./log_line.ts";

Deno.test("parseLogLevel() takes the levels, and nothing for no level", () => {
  for (const level of LOG_LEVELS) assertEquals(parseLogLevel(level), level);
  for (const none of ["", undefined]) assertEquals(parseLogLevel(none), undefined);
});

Deno.test("parseLogLevel() refuses anything else in one line", () => {
  const cases: [string, string][] = [
    ["loud", "cannot use HPK_LOG=loud: "],
    ["DEBUG", "cannot use HPK_LOG=DEBUG: "],
    ["a b", 'cannot use HPK_LOG="a b": '],
    ["\x1b[2J\n", 'cannot use HPK_LOG="\\u001b[2J\\n": '],
  ];
  for (const [text, message] of cases) {
    const error = assertThrows(() => parseLogLevel(text), HpkError);
    const rest = "there is no such level; use one of error, warn, info, debug";
    assertEquals(error.message, message + rest);
  }
});

Deno.test("formatLogLine() is one line in the form of its place", () => {
  const time = "2026-01-02T03:04:05.678Z";
  const cases: [string, string][] = [
    [
      formatLogLine("debug", "a b", { kind: "command", program: "p", ms: 1.25 }),
      "p: debug 1.3 ms: a b\n",
    ],
    [formatLogLine("warn", "a\nb", { kind: "file", time }), `${time} warn: a b\n`],
    [formatLogLine("error", "a", { kind: "journal" }), "<3>a\n"],
    [formatLogLine("warn", "a", { kind: "journal" }), "<4>a\n"],
    [formatLogLine("info", "a", { kind: "journal" }), "<6>a\n"],
    [formatLogLine("debug", "\x1b[1m", { kind: "journal" }), "<7>\\u001b[1m\n"],
  ];
  for (const [line, expected] of cases) assertEquals(line, expected);
  assertEquals(formatLogLine("info", "x".repeat(10_000), { kind: "journal" }).length, 4_004);
});

Deno.test("formatCommandLine() quotes what is not plain", () => {
  const cases: [string[], string][] = [
    [["ip", "-batch", "-"], "ip -batch -"],
    [["sh", "-c", "a b", ""], 'sh -c "a b" ""'],
    [["a\n\x1b[0m\u202e"], '"a\\n\\u001b[0m\\u202e"'],
    [["/usr/sbin/ip", "10.0.0.0/8", "é"], '/usr/sbin/ip 10.0.0.0/8 "é"'],
  ];
  for (const [argv, shown] of cases) assertEquals(formatCommandLine(argv), shown);
});

Deno.test("formatCommandLine() shows no credential and no value of a variable", () => {
  const cases: [string[], string][] = [
    [["--docker-password", "s", "x"], "--docker-password *** x"],
    [["--docker-username=s"], "--docker-username=***"],
    [["--src-creds", "a:b"], "--src-creds ***"],
    [["--registry-token=t"], "--registry-token=***"],
    [["--authfile=/f"], "--authfile=/f"],
    [["--passphrase", "x"], "--passphrase ***"],
    [["--env", "A=1,B=2,c"], "--env A=***,B=***"],
    [["--env=KEY=a=b"], "--env=KEY=***"],
    [["--env", "secret"], "--env ***"],
    [["--env-file", "f"], "--env-file f"],
    [["docker://me:pw@host/x"], "docker://***@host/x"],
    [["docker://host/x@sha256:1"], "docker://host/x@sha256:1"],
  ];
  for (const [argv, shown] of cases) assertEquals(formatCommandLine(argv), shown);
});

Deno.test("escapeControls() leaves valid JSON of the same value", () => {
  for (const value of ["\u009b31m", "\u202etxt", "plain é", "\x7f"]) {
    const text = escapeControls(JSON.stringify(value));
    assertEquals(JSON.parse(text), value);
    assertEquals(/[\u007f-\u009f\u202e]/.test(text), false);
  }
});
