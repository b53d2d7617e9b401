import { callTwice, EAGAIN, EINTR, SystemCallError } from "./errno.ts";
import { libc } from "./libc.ts";

/** poll(2): a struct pollfd is 8 bytes: i32 fd, i16 events, i16 revents. */
const POLLFD_SIZE = 8;
const POLLIN = 1;
const POLLOUT = 4;
const POLLERR = 8;
const POLLHUP = 16;

/**
 * Waits on another thread until one of the descriptors is readable or at its end, poll(2): signal
 * handlers and everything else on this thread go on. It costs some 40 µs more than a blocking wait.
 *
 * @param timeoutMs Timeout in ms; -1 for none.
 * @return The ready ones; none after the timeout or a signal.
 */
export async function waitReadableAside(
  fds: readonly number[],
  timeoutMs = -1,
): Promise<number[]> {
  const found = await pollAside(fds, POLLIN, timeoutMs);
  return fds.filter((_, index) => found[index] !== 0);
}

/**
 * Waits on another thread until a descriptor is writable.
 *
 * @return Whether the peer is still there.
 */
export async function waitWritableAside(fd: number): Promise<boolean> {
  for (;;) {
    const [found = 0] = await pollAside([fd], POLLOUT, -1);
    if (found !== 0) return (found & (POLLERR | POLLHUP)) === 0;
  }
}

/** What happened at each descriptor: bits, 0 for nothing. */
async function pollAside(
  fds: readonly number[],
  events: number,
  timeoutMs: number,
): Promise<number[]> {
  const buffer = new Uint8Array(fds.length * POLLFD_SIZE);
  const view = new DataView(buffer.buffer);
  fds.forEach((fd, index) => {
    view.setInt32(index * POLLFD_SIZE, fd, true);
    view.setInt16(index * POLLFD_SIZE + 4, events, true);
  });
  const count = await libc.pollAside(buffer, fds.length, timeoutMs);
  // errno belongs to the other thread. The only failure possible here is an interruption by a
  // signal.
  return fds.map((_, index) => count <= 0 ? 0 : view.getInt16(index * POLLFD_SIZE + 6, true));
}

/**
 * Reads the bytes that are available.
 *
 * @return Bytes read into the buffer; 0 at the end; undefined if nothing is available now.
 * @throws {SystemCallError} If reading fails.
 */
export function readSome(fd: number, buffer: Uint8Array<ArrayBuffer>): number | undefined {
  const { result, errno } = callTwice(() => libc.read(fd, buffer, buffer.length));
  if (result >= 0) return result;
  if (errno === EAGAIN || errno === EINTR) return undefined;
  throw new SystemCallError("read", errno);
}
