import { assertEquals } from "@std/assert";
import { BATCH_SIZE, FrameBatch } from "./frame_batch.ts";
import {
  countDatagrams,
  DATAGRAM_HEADERS,
  MOST_DATAGRAMS,
  writeDatagramHeaders,
} from "./datagram_merge.ts";
import type { HeaderSize } from "./wire_format.ts";

interface Datagram {
  size?: number;
  port?: number;
  source?: number;
  tos?: number;
  ttl?: number;
  id?: number;
  fragment?: number;
  protocol?: number;
  checksum?: number;
  /** How much longer than the frame the packet claims to be. */
  excess?: number;
  /** Kind of segmentation in its virtio header. */
  kind?: number;
}

function datagram(parts: Datagram, headerSize: HeaderSize): Uint8Array {
  const { size = 64, port = 5201, source = 2, tos = 0, ttl = 64, id = 1, fragment = 0x4000 } =
    parts;
  const { protocol = 17, checksum = 0x1234, excess = 0, kind = 0 } = parts;
  const bytes = new Uint8Array(headerSize + DATAGRAM_HEADERS + size).fill(0xaa);
  if (headerSize !== 0) bytes.set([1, kind, 0, 0, 0, 0, 34, 0, 6, 0]);
  const frame = bytes.subarray(headerSize);
  const view = new DataView(frame.buffer, headerSize);
  frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, tos]);
  view.setUint16(16, 28 + size + excess);
  view.setUint16(18, id);
  view.setUint16(20, fragment);
  frame.set([ttl, protocol, 0, 0, 10, 0, 0, source, 10, 0, 0, 1], 22);
  view.setUint16(34, 40000);
  view.setUint16(36, port);
  view.setUint16(38, 8 + size);
  view.setUint16(40, checksum);
  return bytes;
}

function batchOf(headerSize: HeaderSize, datagrams: readonly Datagram[]): FrameBatch {
  const batch = new FrameBatch(new Uint8Array(BATCH_SIZE), 0);
  batch.reset(headerSize);
  for (const parts of datagrams) {
    const frame = datagram(parts, headerSize);
    batch.bytes.set(frame, batch.next);
    batch.append(frame.length);
  }
  return batch;
}

const CASES: [name: string, datagrams: Datagram[], together: number][] = [
  ["one alone", [{}], 1],
  ["two of a flow", [{}, {}], 2],
  ["two with other ids and checksums", [{}, { id: 2, checksum: 1 }], 2],
  ["a shorter one is the last", [{}, {}, { size: 63 }, { size: 63 }], 3],
  ["a longer one is not merged", [{}, { size: 65 }], 1],
  ["another port", [{}, { port: 53 }], 1],
  ["another sender", [{}, { source: 3 }], 1],
  ["congestion marked", [{}, { tos: 3 }], 1],
  ["another time to live", [{}, { ttl: 63 }], 1],
  ["one that may be fragmented", [{}, { fragment: 0 }], 1],
  ["fragments", [{ fragment: 0x2000 }, { fragment: 0x2000 }], 1],
  ["the end of a fragmented one", [{ fragment: 0x4001 }, { fragment: 0x4001 }], 1],
  ["not UDP", [{ protocol: 6 }, { protocol: 6 }], 1],
  ["without a checksum", [{ checksum: 0 }, { checksum: 0 }], 1],
  ["without data", [{ size: 0 }, { size: 0 }], 1],
  ["a packet shorter than it says", [{ excess: 1 }, { excess: 1 }], 1],
  ["no more than 64 KiB", new Array(4).fill({ size: 20_000 }), 3],
  ["no more than the kernel cuts", new Array(MOST_DATAGRAMS + 1).fill({}), MOST_DATAGRAMS],
];

for (const headerSize of [0, 10] as const) {
  for (const [name, datagrams, together] of CASES) {
    Deno.test(`datagrams, header of ${headerSize}: ${name}`, () => {
      assertEquals(countDatagrams(batchOf(headerSize, datagrams), 0), together);
    });
  }
}

Deno.test("datagrams: frames that the kernel already has to split are not merged, nor dropped ones", () => {
  assertEquals(countDatagrams(batchOf(10, [{ kind: 5 }, { kind: 5 }]), 0), 1);
  const batch = batchOf(10, [{}, {}, {}]);
  batch.drop(1);
  assertEquals(countDatagrams(batch, 0), 1);
  batch.drop(0);
  assertEquals(countDatagrams(batch, 0), 1);
});

for (const headerSize of [0, 10] as const) {
  Deno.test(`datagrams, header of ${headerSize}: the merged headers have the whole length`, () => {
    const batch = batchOf(headerSize, [{ size: 100 }, { size: 60 }]);
    const target = new DataView(new ArrayBuffer(10 + DATAGRAM_HEADERS));
    assertEquals(writeDatagramHeaders(target, batch, 0, 2), 10 + DATAGRAM_HEADERS);
    const virtio = [1, 5, DATAGRAM_HEADERS, 0, 100, 0, 34, 0, 6, 0];
    assertEquals([...new Uint8Array(target.buffer, 0, 10)], virtio);
    assertEquals(target.getUint16(10 + 16), 28 + 160);
    assertEquals(target.getUint16(10 + 38), 8 + 160);
    const words = (start: number, end: number, initial = 0) => {
      let sum = initial;
      for (let at = start; at < end; at += 2) sum += target.getUint16(10 + at);
      while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
      return sum;
    };
    assertEquals(words(14, 34), 0xffff, "IPv4");
    assertEquals(target.getUint16(10 + 40), words(26, 34, 17 + 8 + 160), "pseudo header");
  });
}
