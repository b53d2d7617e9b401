import { callOrThrow, callTwice, EAGAIN, SystemCallError } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { libc } from "./libc.ts";

/** eventfd(2) flags. */
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/** The counter of an eventfd is 8 bytes. */
const COUNTER_SIZE = 8;

/** Creates a counter that another thread can wait for, eventfd(2). */
export function openEventCounter(): FileDescriptor {
  return new FileDescriptor(
    callOrThrow("eventfd", () => libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
  );
}

/** Adds one to the counter, which wakes its waiters. */
export function signalEvent(fd: number): void {
  const one = new Uint8Array(COUNTER_SIZE);
  one[0] = 1;
  callOrThrow("write eventfd", () => libc.write(fd, one, one.length));
}

/** Reads the counter and resets it. @return How often it was signalled since the last read. */
export function takeEvents(fd: number): number {
  const counter = new Uint8Array(COUNTER_SIZE);
  const { result, errno } = callTwice(() => libc.read(fd, counter, counter.length));
  if (result === -1) {
    if (errno === EAGAIN) return 0;
    throw new SystemCallError("read eventfd", errno);
  }
  return new DataView(counter.buffer).getUint32(0, true);
}
