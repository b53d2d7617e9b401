import { libc } from "./libc.ts";

/** The error numbers that the code distinguishes (asm-generic/errno-base.h). */
export const ENOENT = 2;
export const EINTR = 4;
/** Try again; also EWOULDBLOCK. */
export const EAGAIN = 11;
export const ENODEV = 19;
export const EINVAL = 22;
/** The TAP behind a descriptor is gone (asm-generic/errno.h). */
export const EBADFD = 77;
/** The kernel does not support the address family. */
export const EAFNOSUPPORT = 97;
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

/** A failed call of the C library. */
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

/** Outcome of a call. */
export interface CallResult {
  /** Its return value; -1 if it failed. */
  readonly result: number;
  /** The error number if it failed, else 0. */
  readonly errno: number;
}

/** Most attempts at one call: beyond that, the call fails differently each time. */
const MOST_CALLS = 8;

/**
 * Makes a call of the C library that returns -1 on failure, and determines why it failed.
 *
 * The runtime may change errno between the call and the reading of it: the first time that it waits
 * for one of its own locks it looks for a file that many machines lack (Abseil's tsc_freq_khz),
 * which turns any error into ENOENT in about one process of a hundred. So a failed call is repeated
 * until it fails twice in a row in the same way.
 *
 * @param run The call; it must be safe to repeat after a failure.
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

/** Address of this thread's errno. Every worker has its own thread and its own copy of this. */
let location: Deno.UnsafePointerView | undefined;

/**
 * The error number of the last call on this thread, unless the runtime has changed it since: for
 * calls that are repeated all the time, where a single misreading does no harm. Elsewhere use
 * callTwice.
 */
export function lastErrno(): number {
  location ??= new Deno.UnsafePointerView(libc.__errno_location()!);
  return location.getInt32();
}
