import { assertEquals } from "@std/assert";
import { decodeNotice, encodeNotice, hasNoticeType, isPossibleLength } from "./wire_format.ts";

Deno.test("a notice is a plain frame of the original's format, 60 bytes to a group that stays local", () => {
  const bytes = encodeNotice({ accepts: true, headers: false }, 0);
  assertEquals([...bytes.subarray(0, 4)], [0, 0, 0, 60]);
  assertEquals([...bytes.subarray(4, 10)], [0x01, 0x80, 0xc2, 0, 0, 0x0e]);
  assertEquals([...bytes.subarray(16, 24)], [0x88, 0xb5, 0x48, 0x50, 0x4b, 0x4e, 1, 1]);
  assertEquals(bytes.length, 64);
});

Deno.test("every notice survives a round trip, with and without a virtio header", () => {
  for (const headerSize of [0, 10] as const) {
    for (const accepts of [false, true]) {
      for (const headers of [false, true]) {
        const bytes = encodeNotice({ accepts, headers }, headerSize);
        const at = 4 + headerSize;
        assertEquals(new DataView(bytes.buffer).getUint32(0), headerSize + 60);
        assertEquals(hasNoticeType(bytes, at), true);
        assertEquals(decodeNotice(bytes, at, 60), { accepts, headers });
      }
    }
  }
});

Deno.test("a frame that differs from a notice in one byte of its head is not a notice", () => {
  const notice = encodeNotice({ accepts: true, headers: true }, 0);
  for (let index = 4; index < 23; index++) {
    const bytes = notice.slice();
    bytes[index]! ^= 1;
    assertEquals(decodeNotice(bytes, 4, 60), undefined, `byte ${index}`);
  }
  assertEquals(decodeNotice(notice, 4, 59), undefined, "too short");
});

Deno.test("a length is possible from an Ethernet header to the largest frame", () => {
  const cases = [
    [0, 0, false],
    [13, 0, false],
    [14, 0, true],
    [65536, 0, true],
    [65537, 0, false],
    [0xffffffff, 0, false],
    [23, 10, false],
    [24, 10, true],
    [65563, 10, true],
    [65564, 10, false],
  ] as const;
  for (const [length, headerSize, possible] of cases) {
    assertEquals(isPossibleLength(length, headerSize), possible, `${length}, ${headerSize}`);
  }
});
