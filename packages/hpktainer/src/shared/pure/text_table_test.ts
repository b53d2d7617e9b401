import { assertEquals } from "@std/assert";
import { formatTable } from "./text_table.ts";

Deno.test("formatTable() aligns columns and leaves no space at the end of a line", () => {
  const cases: [string[][], string][] = [
    [[], ""],
    [[["a"]], "a\n"],
    [[["NAME", "IP"], ["a", "10.96.0.2"]], "NAME  IP\na     10.96.0.2\n"],
    [[["a", "b", ""], ["ccc", "", "d"]], "a    b\nccc     d\n"],
    [[["a"], ["b", "c"]], "a\nb  c\n"],
    [[["", ""]], "\n"],
  ];
  for (const [rows, expected] of cases) assertEquals(formatTable(rows), expected);
});

Deno.test("formatTable() counts columns of the terminal, not characters", () => {
  assertEquals(
    formatTable([["日本", "x"], ["abcd", "y"], ["é", "z"]]),
    "日本  x\nabcd  y\né     z\n",
  );
});
