import { assertEquals } from "@std/assert";
import { type Change, type Entry, keyOf, type Value, type Wanted } from "./item.ts";
import {
  changesFor,
  entriesWith,
  entriesWithout,
  NO_LONGER_NEEDED,
  undoSteps,
} from "./reconcile.ts";

const want = (id: string, value: string): Wanted => ({
  group: "kernel settings",
  kind: "sysctl",
  id,
  value,
  reason: "because",
});
const entry = (id: string, prior: Value, set: Value, earlier?: Value): Entry => ({
  group: "kernel settings",
  kind: "sysctl",
  id,
  prior,
  set,
  ...(earlier === undefined ? {} : { earlier }),
});
const found = (values: Record<string, Value>) =>
  new Map(Object.entries(values).map(([id, value]) => [`sysctl ${id}`, value]));
const short = (changes: readonly Change[]) =>
  changes.map(({ id, old, new: now }) => [id, old, now]);

Deno.test("changesFor: a thing in its wanted state is not a change", () => {
  assertEquals(changesFor([want("a", "1")], found({ a: "1" }), [entry("a", "0", "1")]), []);
});

Deno.test("changesFor: a thing that differs or is missing is a change with its reason", () => {
  const changes = changesFor([want("a", "1"), want("b", "2")], found({ a: "0" }), []);
  assertEquals(short(changes), [["a", "0", "1"], ["b", null, "2"]]);
  assertEquals(changes[0]!.reason, "because");
});

Deno.test("changesFor: what is no longer wanted is removed first, the last made before the others", () => {
  const entries = [entry("a", "0", "1"), entry("b", null, "2")];
  const changes = changesFor([want("c", "3")], found({ a: "1", b: "2" }), entries);
  assertEquals(short(changes), [["b", "2", null], ["a", "1", "0"], ["c", null, "3"]]);
  assertEquals(changes[0]!.reason, NO_LONGER_NEEDED);
});

Deno.test("changesFor: a thing no longer wanted that another program has changed stays", () => {
  assertEquals(changesFor([], found({ a: "7" }), [entry("a", "0", "1")]), []);
});

const UNDO: readonly (readonly [string, Entry, Value, string])[] = [
  ["as we made it", entry("a", "0", "1"), "1", "restore"],
  ["as it was before", entry("a", "0", "1"), "0", "settled"],
  ["gone, and did not exist before", entry("a", null, "1"), null, "settled"],
  ["gone, but existed before", entry("a", "0", "1"), null, "left"],
  ["someone else's", entry("a", "0", "1"), "7", "left"],
  ["as we made it before a change that was cut short", entry("a", "0", "2", "1"), "1", "restore"],
  [
    "chains of ours that someone has edited",
    { ...entry("a", null, "x"), kind: "firewall" },
    "y",
    "restore",
  ],
];

for (const [name, one, now, what] of UNDO) {
  Deno.test(`undoSteps: ${name}: ${what}`, () => {
    const steps = undoSteps([one], new Map([[keyOf(one), now]]));
    assertEquals(steps.map((step) => step.what), [what as "restore"]);
  });
}

Deno.test("entriesWith keeps the first value before us, and our previous value", () => {
  const first = entriesWith([], { ...want("a", "1"), old: "0", new: "1" });
  assertEquals(first, [entry("a", "0", "1")]);
  const second = entriesWith(first, { ...want("a", "2"), old: "1", new: "2" });
  assertEquals(second, [entry("a", "0", "2", "1")]);
  const repaired = entriesWith(second, { ...want("a", "2"), old: "7", new: "2" });
  assertEquals(repaired, [entry("a", "0", "2")]);
  assertEquals(entriesWithout(repaired, { kind: "sysctl", id: "a" }), []);
});
