import { readInto, unixSocketPair } from "@hpk/core/testing";
import { assertEquals } from "@std/assert";
import { EPOLLERR, EPOLLIN, EPOLLOUT, PinnedBuffer, writeFrom } from "@hpk/core/ffi";
import type { Device } from "./device.ts";
import { Link, type Side } from "./link.ts";
import { AT, COUNTERS } from "./pure/counters.ts";
import { BATCH_SIZE, FrameBatch } from "./pure/frame_batch.ts";
import { sourceRules } from "./pure/source_filter.ts";
import { encodeNotice } from "./pure/wire_format.ts";
import { StreamDevice } from "./stream_device.ts";
import { FakePoller } from "./testing/fake_poller.ts";
import { arpFrame, frame, ipv4Frame } from "./testing/frames.ts";
import { MemoryDevice } from "./testing/memory_device.ts";

// The C library stays loaded: not within a test, which would report it as a leak.
for (const end of unixSocketPair()) {
  writeFrom(end.fd, new Uint8Array());
  end.close();
}

const HOST = 1000;
const CONTAINER = 1001;

function makeLink(filter = true) {
  const poller = new FakePoller();
  const pinned = new PinnedBuffer(BATCH_SIZE);
  const counters = new Float64Array(COUNTERS.length);
  const gone: [Side, string][] = [];
  const stalls: number[] = [];
  const fallbacks: string[] = [];
  const link = new Link({
    id: "test",
    poller,
    batch: new FrameBatch(pinned.bytes, pinned.address),
    counters,
    mtu: 1500,
    rules: filter ? sourceRules("0a:58:0a:09:00:02", 0x0a090002) : undefined,
    onStalled: () => stalls.push(1),
    onFallback: ({ name }) => fallbacks.push(name),
    onGone: (side: Side, device: Device) => gone.push([side, device.fault]),
  });
  return { link, poller, counters, gone, stalls, fallbacks };
}

function makeStream(offload: boolean, counters: Float64Array) {
  const [ours, theirs] = unixSocketPair();
  const stream = new StreamDevice(ours, { name: "peer", mtu: 1500, offload, counters });
  return { stream, peer: theirs };
}

/** A frame as it goes over a stream without virtio headers. */
function onWire(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const wire = new Uint8Array(4 + bytes.length);
  new DataView(wire.buffer).setUint32(0, bytes.length);
  wire.set(bytes, 4);
  return wire;
}

Deno.test("frames go both ways between two TAPs, and are counted", () => {
  const { link, poller, counters } = makeLink();
  const host = new MemoryDevice(HOST);
  const container = new MemoryDevice(CONTAINER);
  link.attach("host", host);
  assertEquals(poller.interest.get(HOST), 0, "no peer to send to yet");
  link.attach("container", container);
  assertEquals([poller.interest.get(HOST), poller.interest.get(CONTAINER)], [EPOLLIN, EPOLLIN]);
  assertEquals([host.offloadAllowed, container.offloadAllowed], [true, true]);
  container.incoming.push(ipv4Frame(), arpFrame());
  poller.ready(CONTAINER, EPOLLIN);
  assertEquals(host.written, [ipv4Frame(), arpFrame()]);
  host.incoming.push(ipv4Frame([10, 9, 0, 1], [2, 0, 0, 0, 0, 1]));
  poller.ready(HOST, EPOLLIN);
  assertEquals(container.written.length, 1, "the host's frames are not filtered");
  assertEquals([counters[AT.txFrames], counters[AT.txBytes]], [2, 42 + 42]);
  assertEquals([counters[AT.rxFrames], counters[AT.connected]], [1, 1]);
});

Deno.test("frames that the container may not send are dropped and counted, and the rest pass", () => {
  const { link, poller, counters } = makeLink();
  const host = new MemoryDevice(HOST);
  const container = new MemoryDevice(CONTAINER);
  link.attach("host", host);
  link.attach("container", container);
  const oversize = ipv4Frame(undefined, undefined, 1600);
  container.incoming.push(ipv4Frame([10, 9, 0, 3]), oversize, ipv4Frame());
  poller.ready(CONTAINER, EPOLLIN);
  assertEquals(host.written, [ipv4Frame()]);
  assertEquals([counters[AT.droppedFilter], counters[AT.droppedOversize]], [1, 1]);
});

Deno.test("if one end accepts no segments the other one is notified", () => {
  const { link, poller, fallbacks } = makeLink();
  const host = new MemoryDevice(HOST);
  const container = new MemoryDevice(CONTAINER);
  link.attach("host", host);
  link.attach("container", container);
  assertEquals(fallbacks, []);
  host.acceptsOffload = false;
  for (let count = 0; count < 2; count++) poller.ready(HOST, EPOLLIN);
  assertEquals(container.offloadAllowed, false);
  assertEquals(fallbacks, ["memory"], "notified once");
});

Deno.test("a device that is gone is closed, and the other one waits", () => {
  const { link, poller, gone, counters } = makeLink();
  const host = new MemoryDevice(HOST);
  const container = new MemoryDevice(CONTAINER);
  link.attach("host", host);
  link.attach("container", container);
  container.state = "gone";
  container.fault = "deleted";
  poller.ready(CONTAINER, EPOLLERR);
  assertEquals(gone, [["container", "deleted"]]);
  assertEquals(poller.interest.get(HOST), 0);
  assertEquals(counters[AT.connected], 0);
});

Deno.test("without offload a stream has the original's format, in both directions", () => {
  const { link, poller, counters } = makeLink();
  const host = new MemoryDevice(HOST);
  const { stream, peer } = makeStream(false, counters);
  using _peer = peer;
  link.attach("host", host);
  link.attach("container", stream);
  host.incoming.push(ipv4Frame(), arpFrame());
  poller.ready(HOST, EPOLLIN);
  assertEquals(readAll(peer.fd), Uint8Array.of(...onWire(ipv4Frame()), ...onWire(arpFrame())));
  // Split, as a stream may deliver it.
  const wire = Uint8Array.of(...onWire(arpFrame()), ...onWire(ipv4Frame()));
  for (const [start, end] of [[0, 3], [3, 50], [50, wire.length]] as const) {
    writeFrom(peer.fd, wire.slice(start, end));
    poller.ready(stream.fd, EPOLLIN);
  }
  assertEquals(host.written, [arpFrame(), ipv4Frame()]);
  assertEquals(host.offloadAllowed, false);
  link.close();
});

Deno.test("two relays agree on virtio headers, each direction on its own, in mid-stream", () => {
  const { link, poller, counters } = makeLink(false);
  const host = new MemoryDevice(HOST);
  const { stream, peer } = makeStream(true, counters);
  using _peer = peer;
  link.attach("host", host);
  link.attach("container", stream);
  assertEquals(readAll(peer.fd), encodeNotice({ accepts: true, headers: false }, 0));
  assertEquals(host.offloadAllowed, false);
  const withHeader = Uint8Array.of(...new Uint8Array(10), ...ipv4Frame());
  // A plain frame, the change, and a frame with a header, all at once.
  writeFrom(
    peer.fd,
    Uint8Array.of(
      ...onWire(arpFrame()),
      ...encodeNotice({ accepts: true, headers: true }, 0),
      ...onWire(withHeader),
    ),
  );
  poller.ready(stream.fd, EPOLLIN);
  assertEquals(host.written, [arpFrame(), ipv4Frame()]);
  assertEquals(readAll(peer.fd), encodeNotice({ accepts: true, headers: true }, 0));
  assertEquals(host.offloadAllowed, true);
  host.incoming.push(ipv4Frame());
  poller.ready(HOST, EPOLLIN);
  assertEquals(readAll(peer.fd), onWire(withHeader));
  // The other end withdraws.
  writeFrom(peer.fd, encodeNotice({ accepts: false, headers: false }, 10));
  poller.ready(stream.fd, EPOLLIN);
  assertEquals(readAll(peer.fd), encodeNotice({ accepts: true, headers: false }, 10));
  assertEquals(host.offloadAllowed, false);
  link.close();
});

Deno.test("the peer is notified of a kernel that refuses a segment", () => {
  const { link, poller, counters } = makeLink(false);
  const host = new MemoryDevice(HOST);
  const { stream, peer } = makeStream(true, counters);
  using _peer = peer;
  link.attach("host", host);
  link.attach("container", stream);
  readAll(peer.fd);
  host.acceptsOffload = false;
  poller.ready(HOST, EPOLLIN);
  assertEquals(readAll(peer.fd), encodeNotice({ accepts: false, headers: false }, 0));
  link.close();
});

Deno.test("an impossible length, or a flood of notices, ends the connection", () => {
  const notices = Uint8Array.of(
    ...new Array(65).fill([...encodeNotice({ accepts: false, headers: false }, 0)]).flat(),
  );
  for (
    const bytes of [Uint8Array.of(0xff, 0xff, 0xff, 0xff), Uint8Array.of(0, 0, 0, 13), notices]
  ) {
    const { link, poller, counters, gone } = makeLink();
    const { stream, peer } = makeStream(true, counters);
    using _peer = peer;
    link.attach("host", new MemoryDevice(HOST));
    link.attach("container", stream);
    writeFrom(peer.fd, bytes);
    poller.ready(stream.fd, EPOLLIN);
    assertEquals(gone.length, 1);
    assertEquals(gone[0]![1].startsWith("malformed: "), true, gone[0]![1]);
    assertEquals(counters[AT.malformed], 1);
    link.close();
  }
});

Deno.test("a peer that stops reading gets a bounded queue; then frames are dropped until it reads", () => {
  const { link, poller, counters, stalls } = makeLink();
  const host = new MemoryDevice(HOST);
  const { stream, peer } = makeStream(false, counters);
  using _peer = peer;
  link.attach("host", host);
  link.attach("container", stream);
  const big = frame(0x0800, new Array(1500).fill(1));
  let sent = 0;
  while (poller.interest.get(HOST) === EPOLLIN) {
    for (let count = 0; count < 100; count++, sent++) host.incoming.push(big);
    poller.ready(HOST, EPOLLIN);
  }
  assertEquals(poller.interest.get(HOST), 0, "the TAP is not read");
  assertEquals((poller.interest.get(stream.fd) ?? 0) & EPOLLOUT, EPOLLOUT);
  assertEquals(stalls.length > 0, true);
  const due = link.tick(1000);
  assertEquals(counters[AT.droppedQueue], 0, "not yet");
  for (let count = 0; count < 100; count++, sent++) host.incoming.push(big);
  link.tick(due);
  assertEquals(host.incoming.length, 0);
  const dropped = counters[AT.droppedQueue]!;
  assertEquals(dropped >= 100, true);
  // It reads again: the queued frames arrive whole, and new ones too.
  let received = 0;
  for (;;) {
    const length = readAll(peer.fd).length;
    received += length;
    poller.ready(stream.fd, EPOLLOUT);
    if (length === 0) break;
  }
  assertEquals(received, (sent - dropped) * onWire(big).length);
  assertEquals(poller.interest.get(HOST), EPOLLIN);
  assertEquals(link.tick(due + 1000), Infinity);
  link.close();
});

/** Everything that can be read without waiting. */
function readAll(fd: number): Uint8Array {
  const parts: number[] = [];
  const chunk = new Uint8Array(64 * 1024);
  for (let length = readInto(fd, chunk); length > 0; length = readInto(fd, chunk)) {
    for (let index = 0; index < length; index++) parts.push(chunk[index]!);
  }
  return Uint8Array.from(parts);
}
