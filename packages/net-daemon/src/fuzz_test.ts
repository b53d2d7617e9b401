/**
 * More than a million mutated frames and control messages. Seeds are fixed, so that a failure can
 * be reproduced: HPK_FUZZ_SEED sets another.
 */
import { readInto, unixSocketPair } from "@hpk/core/testing";
import { assert, assertEquals, assertLess } from "@std/assert";
import { parseRelayRequest, RelayRequestError } from "@hpk/core";
import { EPOLLIN, type FileDescriptor, PinnedBuffer, writeFrom } from "@hpk/core/ffi";
import { Link } from "./link.ts";
import { AT, COUNTERS } from "./pure/counters.ts";
import { BATCH_SIZE, FrameBatch } from "./pure/frame_batch.ts";
import { isFromSource, sourceRules } from "./pure/source_filter.ts";
import { checkHeader } from "./pure/virtio_header.ts";
import { encodeNotice } from "./pure/wire_format.ts";
import { StreamDevice } from "./stream_device.ts";
import { FakePoller } from "./testing/fake_poller.ts";
import { arpFrame, ipv4Frame } from "./testing/frames.ts";
import { MemoryDevice } from "./testing/memory_device.ts";

for (const end of unixSocketPair()) {
  writeFrom(end.fd, new Uint8Array());
  end.close();
}

const FRAMES = 1_000_000;
const REQUESTS = 200_000;
const HOST = 1000;

/** xorshift32 (Marsaglia, 2003). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const seed = Number(Deno.env.get("HPK_FUZZ_SEED") ?? 20_240_607);

function mutate(bytes: Uint8Array, random: (below: number) => number): void {
  for (let count = random(4); count > 0; count--) {
    const at = random(bytes.length);
    bytes[at] = random(3) === 0 ? [0, 1, 0x7f, 0x80, 0xff][random(5)]! : random(256);
  }
}

Deno.test("a million mutated frames over a stream: no crash, no growth, and only the container's pass", () => {
  const random = randomNumbers(seed);
  const rules = sourceRules("0a:58:0a:09:00:02", 0x0a090002)!;
  const pinned = new PinnedBuffer(BATCH_SIZE);
  const counters = new Float64Array(COUNTERS.length);
  const poller = new FakePoller();
  const host = new MemoryDevice(HOST);
  const link = new Link({
    id: "fuzz",
    poller,
    batch: new FrameBatch(pinned.bytes, pinned.address),
    counters,
    mtu: 1500,
    rules,
    onStalled: () => {},
    onFallback: () => {},
    onGone: () => {
      connections++;
    },
  });
  const seeds = [ipv4Frame(), arpFrame(), ipv4Frame(undefined, undefined, 1400)];
  const notices = [true, false].flatMap((accepts) =>
    [true, false].map((headers) => encodeNotice({ accepts, headers }, 0).subarray(4))
  );
  const written = host.write.bind(host);
  host.write = (batch) => {
    for (let index = 0; index < batch.count; index++) {
      const length = batch.length(index);
      if (length === 0) continue;
      const at = batch.offset(index);
      const size = length - batch.headerSize;
      assert(at + length <= BATCH_SIZE, "a frame lies within the batch");
      assert(isFromSource(rules, batch.bytes, at + batch.headerSize, size));
      if (batch.headerSize > 0) assertEquals(checkHeader(batch.bytes, at, size, 1500), "none");
    }
    written(batch);
  };
  host.keep = false;
  link.attach("host", host);
  let connections = 0;
  let peer: FileDescriptor | undefined;
  let sent = 0;
  const wire = new Uint8Array(128 * 1024);
  const view = new DataView(wire.buffer);
  const sink = new Uint8Array(64 * 1024);
  let headers = 0;
  let heapAtTenth = 0;
  while (sent < FRAMES) {
    if (link.device("container") === undefined) {
      peer?.close();
      const [ours, theirs] = unixSocketPair();
      peer = theirs;
      headers = 0;
      link.attach(
        "container",
        new StreamDevice(ours, { name: "", mtu: 1500, offload: true, counters }),
      );
    }
    let end = 0;
    for (let count = random(60) + 1; count > 0 && end < 100_000; count--, sent++) {
      const isNotice = random(500) === 0;
      const body = isNotice ? notices[random(4)]! : seeds[random(3)]!;
      wire.fill(0, end, end + 4 + headers);
      view.setUint32(end, headers + body.length);
      wire.set(body, end + 4 + headers);
      const frame = wire.subarray(end, end + 4 + headers + body.length);
      // Rarely the length, since that ends the connection.
      if (random(200) === 0) mutate(frame, random);
      else if (random(2) === 0) mutate(frame.subarray(4), random);
      if (isNotice) headers = (wire[end + 4 + headers + 19]! & 2) === 0 ? 0 : 10;
      end += frame.length;
    }
    // Input may be split anywhere.
    for (let at = 0; at < end;) {
      const piece = Math.min(end - at, random(64 * 1024) + 1);
      if (writeFrom(peer!.fd, wire.slice(at, at + piece)) < 0) break;
      at += piece;
      const stream = link.device("container");
      if (stream !== undefined) poller.ready(stream.fd, EPOLLIN);
      while (readInto(peer!.fd, sink) > 0);
    }
    if (heapAtTenth === 0 && sent > FRAMES / 10) heapAtTenth = Deno.memoryUsage().rss;
  }
  peer?.close();
  link.close();
  assert(host.writtenCount > FRAMES / 10, `${host.writtenCount} frames passed`);
  assert(connections > 100, `${connections} connections ended`);
  assertEquals(counters[AT.malformed]! > 100, true);
  assert(counters[AT.droppedFilter]! > FRAMES / 20);
  assertLess(Deno.memoryUsage().rss, heapAtTenth + 100 * 2 ** 20);
});

Deno.test("mutated control messages are rejected with one kind of error, or are valid", () => {
  const random = randomNumbers(seed);
  const good = [
    '{"version":1,"op":"status"}',
    '{"version":1,"op":"remove","id":"web"}',
    JSON.stringify({
      version: 1,
      op: "add",
      session: {
        id: "web",
        datapath: "tap",
        hostTap: "hpkweb",
        container: { namespace: "/run/netns/x", tap: "eth0" },
        mtu: 1500,
        mac: "0a:58:0a:09:00:02",
        address: "10.9.0.2",
        filter: true,
        uid: 0,
      },
    }),
  ];
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const bytes = good.map((line) => encoder.encode(line));
  let refused = 0;
  for (let count = 0; count < REQUESTS; count++) {
    const line = bytes[random(bytes.length)]!.slice();
    mutate(line, random);
    try {
      const request = parseRelayRequest(decoder.decode(line));
      assertEquals(request.version, 1);
    } catch (error) {
      if (!(error instanceof RelayRequestError)) throw error;
      refused++;
    }
  }
  assert(refused > REQUESTS / 4 && refused < REQUESTS, `${refused} refused`);
});
