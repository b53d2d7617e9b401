import { assertEquals } from "@std/assert";
import {
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  endOf,
  NLM_F_ACK,
  textAttribute,
  textOf,
  uint32Attribute,
  uint32Of,
} from "./netlink.ts";

/** Bytes written in hexadecimal, with any spaces between them. */
function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s/g, "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

Deno.test("encodeMessage() lays out header, structure and aligned attributes", () => {
  const message = {
    type: 0x10,
    flags: NLM_F_ACK,
    header: hex("0200 0000"),
    attributes: [textAttribute(3, "ab"), uint32Attribute(4, 1500)],
  };
  const expected = hex(`
    24000000 1000 0500 07000000 00000000
    02000000
    0700 0300 616200 00
    0800 0400 dc050000`);
  assertEquals(encodeMessage(message, 7), expected);
});

Deno.test("encodeAttributes() returns nothing for none, and nests", () => {
  assertEquals(encodeAttributes([]), new Uint8Array());
  const inner = encodeAttributes([{ type: 8, value: Uint8Array.of(1) }]);
  assertEquals(encodeAttributes([{ type: 10, value: inner }]), hex("0c00 0a00 0500 0800 01000000"));
});

Deno.test("decodeMessages() reads all messages of a datagram, and nothing beyond", () => {
  const one = hex("14000000 1000 0200 05000000 00000000 aabbccdd");
  const odd = hex("12000000 1400 0000 06000000 00000000 eeff 0000");
  const cases: [string, Uint8Array, [number, number, number, string][]][] = [
    ["nothing", new Uint8Array(), []],
    ["one", one, [[0x10, 2, 5, "aa,bb,cc,dd"]]],
    ["two, one of them padded", Uint8Array.of(...odd, ...one), [
      [0x14, 0, 6, "ee,ff"],
      [0x10, 2, 5, "aa,bb,cc,dd"],
    ]],
    ["one and a cut one", Uint8Array.of(...one, ...one.subarray(0, 18)), [
      [0x10, 2, 5, "aa,bb,cc,dd"],
    ]],
    ["a length that is too small", hex("08000000 1000 0200 05000000 00000000"), []],
  ];
  for (const [what, bytes, expected] of cases) {
    const read = decodeMessages(bytes).map(({ type, flags, sequence, payload }) => [
      ...[type, flags, sequence],
      [...payload].map((byte) => byte.toString(16)).join(","),
    ]);
    assertEquals(read, expected, what);
  }
});

Deno.test("decodeAttributes() reads values by type, without flags, up to a truncated one", () => {
  const bytes = hex("0700 0300 616200 00  0800 0480 dc050000  0900 0500 01");
  const values = decodeAttributes(bytes);
  assertEquals([...values.keys()], [3, 4]);
  assertEquals([textOf(values.get(3)!), uint32Of(values.get(4)!)], ["ab", 1500]);
  assertEquals(decodeAttributes(hex("0200 0300")).size, 0);
});

Deno.test("endOf() distinguishes an answer from the end of a request, and reports failures", () => {
  const message = (type: number, flags: number, payload: string) =>
    endOf({ type, flags, sequence: 1, payload: hex(payload) });
  const request = "20000000 1000 0500 01000000 00000000";
  const text = "0800 0100 6e6f2e00";
  const cases: [string, ReturnType<typeof endOf>, ReturnType<typeof endOf>][] = [
    ["an answer", message(16, 0, "00"), undefined],
    ["the end of a dump", message(3, 2, "00000000"), { errno: 0, text: undefined }],
    ["an old end of a dump", message(3, 2, ""), { errno: 0, text: undefined }],
    ["a dump that failed", message(3, 2, "f0ffffff"), { errno: 16, text: undefined }],
    ["done", message(2, 0x100, `00000000 ${request}`), { errno: 0, text: undefined }],
    ["EEXIST", message(2, 0x100, `efffffff ${request}`), { errno: 17, text: undefined }],
    ["in words", message(2, 0x300, `eaffffff ${request} ${text}`), { errno: 22, text: "no." }],
    [
      "in words behind the whole request",
      message(2, 0x200, `eaffffff ${request} ${"ff".repeat(16)} ${text}`),
      { errno: 22, text: "no." },
    ],
  ];
  for (const [what, found, expected] of cases) assertEquals(found, expected, what);
});

Deno.test("textOf() ends at the zero, if there is one", () => {
  for (const bytes of ["6162", "616200", "61620063"]) assertEquals(textOf(hex(bytes)), "ab", bytes);
});
