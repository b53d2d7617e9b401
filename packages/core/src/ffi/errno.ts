import { libc } from "./libc.ts";

/** The error numbers that the code tells apart (asm-generic/errno-base.h). */
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
/** Try again; also EWOULDBLOCK. */
export const EAGAIN = 11;
export const ENODEV = 19;
export const EINVAL = 22;
/** The TAP behind a descriptor is gone (asm-generic/errno.h). */
export const EBADFD = 77;
/** The kernel has no such family of addresses. */
export const EAFNOSUPPORT = 97;
export const ENOBUFS = 105;
export const ECONNREFUSED = 111;

const NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  3: "ESRCH",
  4: "EINTR",
  5: "EIO",
  6: "ENXIO",
  7: "E2BIG",
  8: "ENOEXEC",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  16: "EBUSY",
  17: "EEXIST",
  19: "ENODEV",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  23: "ENFILE",
  24: "EMFILE",
  28: "ENOSPC",
  30: "EROFS",
  38: "ENOSYS",
  77: "EBADFD",
  95: "EOPNOTSUPP",
  97: "EAFNOSUPPORT",
  98: "EADDRINUSE",
  99: "EADDRNOTAVAIL",
  101: "ENETUNREACH",
  104: "ECONNRESET",
  105: "ENOBUFS",
  111: "ECONNREFUSED",
};

/** A call of the C library that failed. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  /** Name of the function. */
  readonly call: string;
  /** The error number, errno(3). */
  readonly errno: number;

  constructor(call: string, errno: number) {
    super(`${call}: ${NAMES[errno] ?? `error ${errno}`}`);
    this.call = call;
    this.errno = errno;
  }
}

/** What a call came to. */
export interface CallResult {
  /** What it returned; -1 when it failed. */
  readonly result: number;
  /** The error number when it failed, else 0. */
  readonly errno: number;
}

/** Most calls that are made for one answer: more would be a call that fails differently each time. */
const MOST_CALLS = 8;

/**
 * Makes a call of the C library that returns -1 when it fails, and tells why it failed.
 *
 * Between the call and the reading of errno the runtime may change it: a first wait for one of its
 * own locks looks for a file that many machines lack (Abseil's tsc_freq_khz), which makes ENOENT of
 * anything, in about one process of a hundred. So a call that failed is made again, until it fails
 * twice in a row in the same way.
 *
 * @param run The call; one that may be made again after it failed.
 */
export function callTwice(run: () => number): CallResult {
  let before = -1;
  for (let calls = 1;; calls++) {
    const result = run();
    if (result !== -1) return { result, errno: 0 };
    const errno = lastErrno();
    if (errno === before || calls === MOST_CALLS) return { result, errno };
    before = errno;
  }
}

/**
 * Makes a call that has to succeed, as {@linkcode callTwice} does.
 *
 * @param call Its name, for the message.
 * @return Its result.
 * @throws {SystemCallError} When it fails.
 */
export function callOrThrow(call: string, run: () => number): number {
  const { result, errno } = callTwice(run);
  if (result === -1) throw new SystemCallError(call, errno);
  return result;
}

/** Where this thread's error number lies. Every worker has its own thread and its own copy of this. */
let location: Deno.UnsafePointerView | undefined;

/**
 * The error number of the last call on this thread, unless the runtime has changed it since: for
 * where a call is made over and over, and one misreading does no harm. Otherwise callTwice.
 */
export function lastErrno(): number {
  location ??= new Deno.UnsafePointerView(libc.__errno_location()!);
  return location.getInt32();
}
