import { callOrThrow } from "../ffi/errno.ts";
import { FileDescriptor } from "../ffi/fd.ts";
import { libc } from "../ffi/libc.ts";

/** Arguments of socketpair(2) (bits/socket.h). */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** Two connected sockets that do not block. */
export function unixSocketPair(): [FileDescriptor, FileDescriptor] {
  const fds = new Int32Array(2);
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  callOrThrow(
    "socketpair",
    () => libc.socketpair(AF_UNIX, type, 0, new Uint8Array(fds.buffer)),
  );
  return [new FileDescriptor(fds[0]!), new FileDescriptor(fds[1]!)];
}

/** Reads into a buffer. @return Bytes read, 0 at the end, -1 on an error. */
export function readInto(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
  return libc.read(fd, buffer, buffer.length);
}
