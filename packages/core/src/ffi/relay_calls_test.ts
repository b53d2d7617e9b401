import { readInto, unixSocketPair } from "../testing/descriptors.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { Epoll, EPOLLIN } from "./epoll.ts";
import { EAGAIN, ECONNREFUSED, ENOENT, lastErrno, SystemCallError } from "./errno.ts";
import { openEventCounter, signalEvent, takeEvents } from "./event_fd.ts";
import { isInheritable } from "./fd.ts";
import { IoVector, PinnedBuffer } from "./io_vector.ts";
import { frameLibc, libc } from "./libc.ts";
import { acceptUnix, connectUnix, listenUnix, peerCredentials, writeFrom } from "./unix_socket.ts";

// The C library stays loaded: not within a test, which would report it as a leak.
void libc.close;
frameLibc();

Deno.test("an eventfd counts its signals and is not inherited", () => {
  using counter = openEventCounter();
  assertEquals(takeEvents(counter.fd), 0);
  signalEvent(counter.fd);
  signalEvent(counter.fd);
  assertEquals(takeEvents(counter.fd), 2);
  assertEquals(takeEvents(counter.fd), 0);
  assertEquals(isInheritable(counter.fd), false);
});

Deno.test("epoll reports the token of a ready descriptor until it is removed", () => {
  using epoll = new Epoll();
  using first = openEventCounter();
  using second = openEventCounter();
  epoll.add(first.fd, EPOLLIN, 5);
  epoll.add(second.fd, 0, 2 ** 31 - 1);
  assertEquals(epoll.wait(0), 0);
  signalEvent(first.fd);
  signalEvent(second.fd);
  assertEquals(epoll.wait(-1), 1);
  assertEquals([epoll.token(0), epoll.events(0)], [5, EPOLLIN]);
  epoll.remove(first.fd);
  epoll.change(second.fd, EPOLLIN, 2 ** 31 - 1);
  assertEquals(epoll.wait(-1), 1);
  assertEquals(epoll.token(0), 2 ** 31 - 1);
});

Deno.test("scattered pieces are written and read in order", () => {
  const [a, b] = unixSocketPair();
  using _a = a;
  using _b = b;
  const buffer = new PinnedBuffer(100);
  buffer.bytes.set([1, 2, 3, 4, 5, 6]);
  const vector = new IoVector(2);
  vector.set(0, buffer.address + 4, 2);
  vector.set(1, buffer.address, 3);
  assertEquals(vector.write(a.fd, 2), 5);
  vector.set(0, buffer.address + 50, 1);
  vector.set(1, buffer.address + 60, 10);
  assertEquals(vector.read(b.fd, 2), 5);
  assertEquals(buffer.bytes[50], 5);
  assertEquals([...buffer.bytes.subarray(60, 64)], [6, 1, 2, 3]);
  assertEquals(vector.read(b.fd, 2), -1);
  assertEquals(lastErrno(), EAGAIN);
});

Deno.test("the kernel reports the peer's credentials", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/s`;
  try {
    assertEquals(errnoOf(() => connectUnix(path)), ENOENT);
    const listener = listenUnix(path);
    assertEquals(acceptUnix(listener.fd), undefined);
    using client = connectUnix(path);
    using connection = acceptUnix(listener.fd)!;
    assertEquals(peerCredentials(connection.fd), {
      pid: Deno.pid,
      uid: Deno.uid()!,
      gid: Deno.gid()!,
    });
    writeFrom(client.fd, Uint8Array.of(9));
    const buffer = new Uint8Array(4);
    assertEquals([readInto(connection.fd, buffer), buffer[0]], [1, 9]);
    listener.close();
    assertEquals(errnoOf(() => connectUnix(path)), ECONNREFUSED);
    assertThrows(() => listenUnix(path), SystemCallError);
    assertThrows(() => listenUnix(`${directory}/${"x".repeat(108)}`), RangeError);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

function errnoOf(act: () => { close(): void }): number {
  const error = assertThrows(() => act().close(), SystemCallError);
  return error.errno;
}
