import { assertEquals, assertRejects } from "@std/assert";
import { progressOn } from "./progress.ts";

Deno.test("progress is one plain line without a terminal", async () => {
  let text = "";
  const progress = progressOn({ isTerminal: false, write: (more) => void (text += more) });
  assertEquals(await progress("installing x", () => Promise.resolve(7)), 7);
  assertEquals(text, "installing x\n");
});

Deno.test("progress spins on a terminal, and is erased, also after a failure", async () => {
  let text = "";
  const progress = progressOn({ isTerminal: true, write: (more) => void (text += more) });
  await assertRejects(
    () => progress("installing x", () => Promise.reject(new Error("no"))),
    Error,
    "no",
  );
  assertEquals(text.startsWith("\r| installing x (0 s) "), true);
  assertEquals(text.endsWith("\r\x1b[K"), true);
});
