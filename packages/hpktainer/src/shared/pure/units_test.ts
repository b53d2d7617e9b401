import { assert, assertEquals } from "@std/assert";
import { formatAdvance, formatBar, formatBytes } from "./units.ts";

Deno.test("bytes have three significant digits", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1234, "1.23 kB"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [123_456_789, "123 MB"],
    [7.5e9, "7.5 GB"],
    [2e15, "2000 TB"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatBytes(bytes), text);
});

Deno.test("progress never exceeds the total", () => {
  assertEquals(formatAdvance({ done: 5e6, total: 2e7 }), "5 MB of 20 MB");
  assertEquals(formatAdvance({ done: 3e7, total: 2e7 }), "20 MB of 20 MB");
});

Deno.test("a bar fits its terminal", () => {
  const half = { done: 5e6, total: 1e7 };
  assertEquals(
    formatBar("a:1", "fetching", half, 60),
    "a:1  fetching [##############---------------] 5 MB of 10 MB",
  );
  assertEquals(formatBar("a:1", "fetching", half, 30), "fetching 5 MB of 10 MB");
  for (let columns = 0; columns < 200; columns++) {
    assert(formatBar("name", "what", half, columns).length <= Math.max(columns - 1, 0));
  }
  assert(formatBar("a", "b", { done: 0, total: 0 }, 80).includes("[---"));
  assert(!formatBar("a", "b", { done: 9, total: 3 }, 80).includes("-"));
});
