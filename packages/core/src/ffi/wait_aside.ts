import { callTwice, EAGAIN, EINTR, SystemCallError } from "./errno.ts";
import { libc } from "./libc.ts";

/** poll(2): a struct pollfd is 8 bytes: i32 fd, i16 events, i16 revents. */
const POLLFD_SIZE = 8;
const POLLIN = 1;
const POLLOUT = 4;
const POLLERR = 8;
const POLLHUP = 16;

/**
 * Waits until one of the descriptors is readable or at its end, poll(2), on a thread aside: signal
 * handlers and everything else of this one go on. It costs some 40 µs more than a wait of its own.
 *
 * @param timeoutMs Bound in ms; -1 for none.
 * @return Which of them are; none when the time is up or a signal came.
 */
export async function waitReadableAside(
  fds: readonly number[],
  timeoutMs = -1,
): Promise<number[]> {
  const found = await pollAside(fds, POLLIN, timeoutMs);
  return fds.filter((_, index) => found[index] !== 0);
}

/**
 * Waits until a descriptor can be written to, on a thread aside.
 *
 * @return Whether there is still somebody at the other end.
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
  // Its error number is the other thread's. All that may happen here is a signal.
  return fds.map((_, index) => count <= 0 ? 0 : view.getInt16(index * POLLFD_SIZE + 6, true));
}

/**
 * Reads what is there.
 *
 * @return Bytes read into the buffer; 0 at the end; undefined when there is nothing now.
 * @throws {SystemCallError} When it cannot be read.
 */
export function readSome(fd: number, buffer: Uint8Array<ArrayBuffer>): number | undefined {
  const { result, errno } = callTwice(() => libc.read(fd, buffer, buffer.length));
  if (result >= 0) return result;
  if (errno === EAGAIN || errno === EINTR) return undefined;
  throw new SystemCallError("read", errno);
}
