import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import type { HpkEvent } from "../../shared/pure/event.ts";
import { formatEvent, isSince, parseSince } from "./event_view.ts";

const NOW = Date.parse("2026-01-02T03:04:05.000Z");

const EVENT: HpkEvent = {
  version: 1,
  time: "2026-01-02T03:04:05.678Z",
  event: "repaired",
  container: null,
  exitStatus: null,
  part: "bridge",
  detail: "\x1b[2Jgone\n",
};

Deno.test("parseSince() accepts times and durations", () => {
  const cases: [string, string][] = [
    ["0s", "2026-01-02T03:04:05.000Z"],
    ["90s", "2026-01-02T03:02:35.000Z"],
    ["10m", "2026-01-02T02:54:05.000Z"],
    ["2h", "2026-01-02T01:04:05.000Z"],
    ["1d", "2026-01-01T03:04:05.000Z"],
    ["2026-01-02", "2026-01-02T00:00:00.000Z"],
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"],
    ["2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000Z"],
  ];
  for (const [text, expected] of cases) assertEquals(parseSince(text, NOW), expected, text);
});

Deno.test("parseSince() refuses anything else in one line", () => {
  const others = ["", "x", "10", "10 m", "-5s", "1w", "2026-13-45", "99999999999999999d", "\n"];
  for (const text of others) {
    const { message } = assertThrows(() => parseSince(text, NOW), HpkError);
    assertEquals(message.includes("\n"), false);
  }
});

Deno.test("isSince() compares the times", () => {
  const cases: [string | undefined, boolean][] = [
    [undefined, true],
    ["2026-01-02T03:04:05.678Z", true],
    ["2026-01-02T03:04:05.679Z", false],
  ];
  for (const [since, shown] of cases) assertEquals(isSince(EVENT, since), shown, since);
});

Deno.test("formatEvent() is one line that cannot drive a terminal", () => {
  assertEquals(formatEvent(EVENT), "2026-01-02T03:04:05Z  repaired bridge: \ufffd[2Jgone \n");
});
