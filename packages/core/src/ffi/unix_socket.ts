import { callOrThrow, callTwice, EAGAIN, EINTR, SystemCallError } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { frameLibc, libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** Socket options (asm-generic/socket.h). */
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_PEERCRED = 17;
/** As SO_SNDBUF, but not limited by net.core.wmem_max; requires CAP_NET_ADMIN. */
const SO_SNDBUFFORCE = 32;

/** struct sockaddr_un: a 16-bit family and a path of at most 107 bytes and a zero (unix(7)). */
const SOCKADDR_SIZE = 110;
const PATH_OFFSET = 2;
const MAX_PATH = 107;

/** The peer of a connection, as the kernel reports it: SO_PEERCRED, unix(7). */
export interface PeerCredentials {
  /** Its pid in this process's PID namespace; 0 if it has none there. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Listens on a path that does not exist yet. The socket does not block.
 *
 * @param backlog How many connections may wait to be accepted (listen(2)).
 * @throws {SystemCallError} EADDRINUSE if the path exists.
 */
export function listenUnix(path: string, backlog = 8): FileDescriptor {
  return openSocket((fd) => {
    callOrThrow(`bind ${path}`, () => libc.bind(fd, socketAddress(path), SOCKADDR_SIZE));
    callOrThrow(`listen ${path}`, () => libc.listen(fd, backlog));
  });
}

/**
 * Connects to a path. The socket does not block.
 *
 * @throws {SystemCallError} If nothing listens there.
 */
export function connectUnix(path: string): FileDescriptor {
  return openSocket((fd) => {
    callOrThrow(
      `connect ${path}`,
      () => libc.connect(fd, socketAddress(path), SOCKADDR_SIZE),
    );
  });
}

/**
 * Connects to a path and keeps message boundaries, SOCK_SEQPACKET. The socket does not block.
 *
 * @throws {SystemCallError} If nothing listens there.
 */
export function connectUnixPackets(path: string): FileDescriptor {
  return openSocket((fd) => {
    callOrThrow(
      `connect ${path}`,
      () => libc.connect(fd, socketAddress(path), SOCKADDR_SIZE),
    );
  }, SOCK_SEQPACKET);
}

/** Accepts a connection from a listening socket; undefined if none is waiting. */
export function acceptUnix(listener: number): FileDescriptor | undefined {
  const { result, errno } = callTwice(() =>
    libc.accept4(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC)
  );
  if (result !== -1) return new FileDescriptor(result);
  if (errno === EAGAIN || errno === EINTR || errno === ECONNABORTED) return undefined;
  throw new SystemCallError("accept4", errno);
}

const ECONNABORTED = 103;

/** The peer of a connection. */
export function peerCredentials(fd: number): PeerCredentials {
  const value = new Int32Array(3);
  const length = new Uint32Array([value.byteLength]);
  const { getsockopt } = libc;
  const result = getsockopt(
    fd,
    SOL_SOCKET,
    SO_PEERCRED,
    new Uint8Array(value.buffer),
    new Uint8Array(length.buffer),
  );
  callOrThrow("getsockopt SO_PEERCRED", () => result);
  return { pid: value[0]!, uid: value[1]! >>> 0, gid: value[2]! >>> 0 };
}

/** Requests socket buffers of a size in bytes; the kernel may give less. */
export function setSocketBuffers(fd: number, size: number): void {
  const value = new Uint8Array(new Uint32Array([size]).buffer);
  for (const option of [SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE]) {
    libc.setsockopt(fd, SOL_SOCKET, option, value, value.length);
  }
}

/** Writes part of a buffer. @return Bytes written, or -1 on an error. */
export function writeFrom(fd: number, bytes: Uint8Array<ArrayBuffer>): number {
  return frameLibc().write(fd, bytes, bytes.length);
}

/** shutdown(2): no more is sent (sys/socket.h). */
const SHUT_WR = 1;

/** Signals end of file to the peer of a socket. */
export function shutdownWriting(fd: number): void {
  libc.shutdown(fd, SHUT_WR);
}

function openSocket(set: (fd: number) => void, kind = SOCK_STREAM): FileDescriptor {
  const type = kind | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const socket = new FileDescriptor(
    callOrThrow("socket", () => libc.socket(AF_UNIX, type, 0)),
  );
  try {
    set(socket.fd);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

function socketAddress(path: string): Uint8Array<ArrayBuffer> {
  const encoded = new TextEncoder().encode(path);
  if (encoded.length > MAX_PATH) {
    throw new RangeError(`the path of a socket has at most ${MAX_PATH} bytes: ${path}`);
  }
  const address = new Uint8Array(SOCKADDR_SIZE);
  address[0] = AF_UNIX;
  address.set(encoded, PATH_OFFSET);
  return address;
}
