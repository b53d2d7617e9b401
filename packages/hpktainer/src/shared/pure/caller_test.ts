import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { absolutePath, NO_STREAMS, requireTerminal } from "./caller.ts";

Deno.test("absolutePath() starts at the caller's working directory", () => {
  const cases: [path: string, expected: string][] = [
    ["/etc/hosts", "/etc/hosts"],
    ["image.sif", "/srv/image.sif"],
    ["../image.sif", "/srv/../image.sif"],
  ];
  for (const [path, expected] of cases) {
    assertEquals(absolutePath({ directory: "/srv" }, path), expected);
  }
});

Deno.test("requireTerminal() checks the caller's standard input", () => {
  const terminal = { ...NO_STREAMS, stdin: { ...NO_STREAMS.stdin, isTerminal: () => true } };
  requireTerminal({ streams: terminal }, true);
  requireTerminal({ streams: NO_STREAMS }, false);
  assertThrows(() => requireTerminal({ streams: NO_STREAMS }, true), HpkError, "leave -t out");
});
