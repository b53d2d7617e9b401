import { assertEquals } from "@std/assert";
import { BATCH_SIZE, FrameBatch } from "./frame_batch.ts";
import { countMergeable, mergeableHeaders, writeMergedHeaders } from "./segment_merge.ts";

interface Segment {
  sequence: number;
  size?: number;
  flags?: number;
  port?: number;
  ack?: number;
  window?: number;
  tos?: number;
  option?: number;
  fragment?: number;
  id?: number;
}

const HEADERS = 14 + 20 + 24;

function segment(parts: Segment): Uint8Array {
  const { sequence, size = 100, flags = 0x10, port = 80, ack = 1, window = 500 } = parts;
  const { tos = 0, option = 7, fragment = 0x4000, id = 1 } = parts;
  const bytes = new Uint8Array(HEADERS + size).fill(0xaa, HEADERS);
  const view = new DataView(bytes.buffer);
  bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, tos]);
  view.setUint16(16, 44 + size);
  view.setUint16(18, id);
  view.setUint16(20, fragment);
  bytes.set([64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 22);
  view.setUint16(34, 1000);
  view.setUint16(36, port);
  view.setUint32(38, sequence);
  view.setUint32(42, ack);
  bytes.set([0x60, flags], 46);
  view.setUint16(48, window);
  bytes.set([1, 1, 1, option], 54);
  return bytes;
}

function batchOf(...frames: Uint8Array[]): FrameBatch {
  const batch = new FrameBatch(new Uint8Array(BATCH_SIZE), 0);
  batch.reset(0);
  for (const frame of frames) {
    batch.bytes.set(frame, batch.next);
    batch.append(frame.length);
  }
  return batch;
}

const FIRST = segment({ sequence: 1000 });

const CASES: [name: string, next: Segment, merged: boolean][] = [
  ["the next one", { sequence: 1100 }, true],
  ["the next one with another id", { sequence: 1100, id: 2 }, true],
  ["a shorter last one that is pushed", { sequence: 1100, size: 10, flags: 0x18 }, true],
  ["a longer one", { sequence: 1100, size: 101 }, false],
  ["one with a gap before it", { sequence: 1101 }, false],
  ["the same again", { sequence: 1000 }, false],
  ["another connection's", { sequence: 1100, port: 81 }, false],
  ["another acknowledgement", { sequence: 1100, ack: 2 }, false],
  ["another window", { sequence: 1100, window: 501 }, false],
  ["another time stamp", { sequence: 1100, option: 8 }, false],
  ["congestion marked", { sequence: 1100, tos: 3 }, false],
  ["the end of a connection", { sequence: 1100, flags: 0x11 }, false],
  ["an urgent one", { sequence: 1100, flags: 0x30 }, false],
  ["a fragment", { sequence: 1100, fragment: 0x2000 }, false],
];

for (const [name, next, merged] of CASES) {
  Deno.test(`merging: ${name} is ${merged ? "merged" : "not merged"}`, () => {
    assertEquals(countMergeable(batchOf(FIRST, segment(next)), 0, HEADERS), merged ? 2 : 1);
  });
}

Deno.test("merging ends after a shorter one, a pushed one, at 64 KiB, and at a dropped one", () => {
  const at = (index: number, parts: Partial<Segment> = {}) =>
    segment({ sequence: 1000 + index * 100, ...parts });
  assertEquals(countMergeable(batchOf(at(0), at(1, { size: 99 }), at(2)), 0, HEADERS), 2);
  assertEquals(countMergeable(batchOf(at(0), at(1, { flags: 0x18 }), at(2)), 0, HEADERS), 2);
  const large = [0, 1, 2, 3].map((n) => segment({ sequence: n * 20000, size: 20000 }));
  assertEquals(countMergeable(batchOf(...large), 0, HEADERS), 3);
  const dropped = batchOf(at(0), at(1), at(2));
  dropped.drop(1);
  assertEquals(countMergeable(dropped, 0, HEADERS), 1);
  const wrapped = batchOf(
    segment({ sequence: 0xffffffff - 49 }),
    segment({ sequence: 50 }),
  );
  assertEquals(countMergeable(wrapped, 0, HEADERS), 2, "the sequence number wraps");
});

Deno.test("only segments with data are merged", () => {
  const cut = (bytes: Uint8Array, length: number) => mergeableHeaders(bytes, 0, length);
  assertEquals(cut(FIRST, FIRST.length), HEADERS);
  assertEquals(cut(FIRST, FIRST.length - 1), 0, "its length is not that of the packet");
  assertEquals(cut(segment({ sequence: 1, size: 0 }), HEADERS), 0, "no data");
  const udp = FIRST.slice();
  udp[23] = 17;
  assertEquals(cut(udp, udp.length), 0);
  const options = FIRST.slice();
  options[14] = 0x46;
  assertEquals(cut(options, options.length), 0);
  const nonsense = FIRST.slice();
  nonsense[46] = 0x40;
  assertEquals(cut(nonsense, nonsense.length), 0, "a TCP header that is too short");
});

Deno.test("the merged headers have the whole length, right checksums and the last one's push", () => {
  const batch = batchOf(FIRST, segment({ sequence: 1100, size: 60, flags: 0x18 }));
  const target = new DataView(new ArrayBuffer(10 + HEADERS));
  assertEquals(writeMergedHeaders(target, batch, 0, HEADERS, 2), 10 + HEADERS);
  const virtio = [1, 1, HEADERS, 0, 100, 0, 34, 0, 16, 0];
  assertEquals([...new Uint8Array(target.buffer, 0, 10)], virtio);
  assertEquals(target.getUint16(10 + 16), 20 + 24 + 160);
  const words = (start: number, end: number, initial = 0) => {
    let sum = initial;
    for (let at = start; at < end; at += 2) sum += target.getUint16(10 + at);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    return sum;
  };
  assertEquals(words(14, 34), 0xffff, "IPv4");
  assertEquals(target.getUint16(10 + 50), words(26, 34, 6 + 24 + 160), "pseudo header");
  assertEquals(target.getUint8(10 + 47), 0x18);
});
