import { assertEquals } from "@std/assert";
import { backoffMs } from "./backoff.ts";

Deno.test("pauses double from 50 ms up to 5 s", () => {
  const pauses = [0, 1, 2, 6, 7, 1000].map(backoffMs);
  assertEquals(pauses, [50, 100, 200, 3200, 5000, 5000]);
});
