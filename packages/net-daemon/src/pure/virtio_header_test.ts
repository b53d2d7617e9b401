import { assertEquals } from "@std/assert";
import { checkHeader, type HeaderFault, needsOffload } from "./virtio_header.ts";

interface Fields {
  flags?: number;
  kind?: number;
  headers?: number;
  segment?: number;
  start?: number;
  offset?: number;
}

function header({ flags = 0, kind = 0, headers = 0, segment = 0, start = 0, offset = 0 }: Fields) {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  bytes.set([flags, kind]);
  [headers, segment, start, offset].forEach((value, i) => view.setUint16(2 + i * 2, value, true));
  return bytes;
}

const TCP4 = { flags: 1, kind: 1, headers: 66, segment: 1448, start: 34, offset: 16 };

const CASES: [name: string, fields: Fields, length: number, fault: HeaderFault][] = [
  ["a complete frame", {}, 1514, "none"],
  ["a complete frame with a VLAN tag", {}, 1518, "none"],
  ["a complete frame beyond the MTU", {}, 1519, "oversize"],
  ["a checksum to fill in", { flags: 1, start: 34, offset: 16 }, 74, "none"],
  ["a checksum before the payload", { flags: 1, start: 13, offset: 16 }, 74, "invalid"],
  ["a checksum behind the end", { flags: 1, start: 34, offset: 39 }, 74, "invalid"],
  ["a checksum at the end", { flags: 1, start: 34, offset: 38 }, 74, "none"],
  ["a checksum far out", { flags: 1, start: 65535, offset: 65535 }, 74, "invalid"],
  ["TCP over IPv4", TCP4, 65226, "none"],
  ["TCP over IPv6", { ...TCP4, kind: 4, headers: 86, segment: 1428 }, 65226, "none"],
  ["TCP with ECN", { ...TCP4, kind: 0x81 }, 65226, "none"],
  ["UDP fragments", { ...TCP4, kind: 3 }, 9000, "invalid"],
  ["UDP segments", { ...TCP4, kind: 5 }, 9000, "invalid"],
  ["an unknown kind", { ...TCP4, kind: 0x7f }, 9000, "invalid"],
  ["segments without a checksum", { ...TCP4, flags: 0 }, 9000, "invalid"],
  ["segments of nothing", { ...TCP4, segment: 0 }, 9000, "invalid"],
  ["headers longer than the frame", { ...TCP4, headers: 9001 }, 9000, "invalid"],
  ["segments beyond the MTU", { ...TCP4, segment: 1465 }, 9000, "oversize"],
];

for (const [name, fields, length, fault] of CASES) {
  Deno.test(`virtio header: ${name}: ${fault}`, () => {
    const bytes = new Uint8Array(20);
    bytes.set(header(fields), 10);
    assertEquals(checkHeader(bytes, 10, length, 1500), fault);
  });
}

Deno.test("a frame needs offload when segments or a checksum are left to do", () => {
  assertEquals(needsOffload(header({}), 0), false);
  assertEquals(needsOffload(header({ flags: 2 }), 0), false, "a checksum known to be good");
  assertEquals(needsOffload(header({ flags: 1 }), 0), true);
  assertEquals(needsOffload(header(TCP4), 0), true);
});
