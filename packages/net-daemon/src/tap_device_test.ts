import { unixSocketPair } from "@hpk/core/testing";
import { assertEquals } from "@std/assert";
import { FileDescriptor, openLockFile, PinnedBuffer, writeFrom } from "@hpk/core/ffi";
import { AT, COUNTERS } from "./pure/counters.ts";
import { BATCH_SIZE, FrameBatch } from "./pure/frame_batch.ts";
import { ipv4Frame } from "./testing/frames.ts";
import { TapDevice } from "./tap_device.ts";

// The C library stays loaded: not within a test, which would report it as a leak.
for (const end of unixSocketPair()) {
  writeFrom(end.fd, new Uint8Array());
  end.close();
}

const pinned = new PinnedBuffer(BATCH_SIZE);

function device(descriptor: FileDescriptor): { tap: TapDevice; counters: Float64Array } {
  const counters = new Float64Array(COUNTERS.length);
  return { tap: new TapDevice(descriptor, { name: "t", mtu: 1500, counters }), counters };
}

function batchOf(count: number): FrameBatch {
  const batch = new FrameBatch(pinned.bytes, pinned.address);
  batch.reset(0);
  for (let index = 0; index < count; index++) {
    batch.bytes.set(ipv4Frame(), batch.next);
    batch.append(ipv4Frame().length);
  }
  return batch;
}

Deno.test("a frame that the kernel has no room for is lost, the session goes on", () => {
  // /dev/full answers every write with ENOSPC, as a TAP may with ENOBUFS.
  const { tap, counters } = device(openLockFile("/dev/full"));
  tap.write(batchOf(100));
  assertEquals([tap.state, counters[AT.droppedDevice]], ["ready", 100]);
  tap.close();
});

Deno.test("a device that answers everything with an error counts as gone", () => {
  const [socket, peer] = unixSocketPair();
  const { tap } = device(new FileDescriptor(socket.fd));
  socket.close();
  peer.close();
  for (let round = 0; round < 63; round++) tap.read(batchOf(0));
  assertEquals(tap.state, "ready", "a single error may be misread");
  tap.read(batchOf(0));
  assertEquals([tap.state, tap.fault], ["gone", "read: error 9"]);
});
