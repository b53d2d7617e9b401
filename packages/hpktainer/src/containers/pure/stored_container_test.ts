import { assertEquals, assertThrows } from "@std/assert";
import { parseStoredContainer } from "./stored_container.ts";

Deno.test("parseStoredContainer() takes a container that was stored before it named its runtime", () => {
  const cases: [stored: Record<string, unknown>, runtime: string][] = [
    [{ version: 1, id: "0123456789ab" }, "crun"],
    [{ version: 1, id: "0123456789ab", runtime: "other" }, "other"],
  ];
  for (const [stored, runtime] of cases) {
    assertEquals(parseStoredContainer(JSON.stringify(stored)).runtime, runtime);
  }
});

Deno.test("parseStoredContainer() refuses what is not a container of its version", () => {
  for (const text of ["", "null", "[]", '{"version":2}', "{"]) {
    assertThrows(() => parseStoredContainer(text), SyntaxError);
  }
});
