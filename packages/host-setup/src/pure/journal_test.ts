import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { EMPTY_JOURNAL, formatJournal, type Journal, parseJournal } from "./journal.ts";

Deno.test("a journal survives a round trip", () => {
  const journal: Journal = {
    version: 1,
    choices: { subnet: "10.72.0.0/16" },
    entries: [{ kind: "file", id: "/x", group: "firewall", prior: null, set: "a\nb" }],
  };
  assertEquals(parseJournal(formatJournal(journal)), journal);
  assertEquals(parseJournal(formatJournal(EMPTY_JOURNAL)), EMPTY_JOURNAL);
});

for (
  const text of [
    "",
    "{",
    "null",
    "[]",
    '{"version":2,"choices":{},"entries":[]}',
    '{"version":1,"choices":{},"entries":[{"kind":"file","id":"/x"}]}',
  ]
) {
  Deno.test(`an invalid journal is rejected: ${text}`, () => {
    assertThrows(() => parseJournal(text), HpkError, "host-setup.json");
  });
}
