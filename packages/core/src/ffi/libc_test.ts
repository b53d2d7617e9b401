import { assertEquals, assertStrictEquals } from "@std/assert";
import { cString, libc } from "./libc.ts";
import { loadLibc } from "../testing/libc.ts";

loadLibc();

Deno.test("cString() is UTF-8 with a terminating zero", () => {
  const cases: [string, number[]][] = [
    ["", [0]],
    ["ab", [0x61, 0x62, 0]],
    ["é", [0xc3, 0xa9, 0]],
    ["日", [0xe6, 0x97, 0xa5, 0]],
    ["😀", [0xf0, 0x9f, 0x98, 0x80, 0]],
  ];
  for (const [text, bytes] of cases) assertEquals([...cString(text)], bytes, text);
});

Deno.test("libc looks a function up once", () => {
  assertStrictEquals(libc.close, libc.close);
});
