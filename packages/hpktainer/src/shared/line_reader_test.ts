import { assertEquals } from "@std/assert";
import { TempDirectory } from "@hpk/core/testing";
import { LineReader } from "./line_reader.ts";

Deno.test("LineReader keeps a line back until it is complete, also within a character", () => {
  using directory = new TempDirectory();
  const path = directory.write("log", "first\nsec");
  using file = Deno.openSync(path);
  const reader = new LineReader(file);
  assertEquals(reader.read(), ["first"]);
  assertEquals(reader.read(), []);
  const [head, tail] = [new Uint8Array([0xc3]), new Uint8Array([0xbc, 0x0a])]; // "ü\n"
  Deno.writeFileSync(path, head, { append: true });
  assertEquals(reader.read(), []);
  Deno.writeFileSync(path, tail, { append: true });
  assertEquals(reader.read(), ["secü"]);
});
