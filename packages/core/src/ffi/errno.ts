import { libc } from "./libc.ts";

/** The error numbers that the code tells apart (asm-generic/errno-base.h). */
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
/** Try again; also EWOULDBLOCK. */
export const EAGAIN = 11;
export const EINVAL = 22;
/** The TAP behind a descriptor is gone (asm-generic/errno.h). */
export const EBADFD = 77;
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
  98: "EADDRINUSE",
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

/** Where this thread's error number lies. Every worker has its own thread and its own copy of this. */
let location: Deno.UnsafePointerView | undefined;

/** The error number of the last call. Read it at once: the runtime's own calls change it. */
export function lastErrno(): number {
  location ??= new Deno.UnsafePointerView(libc().__errno_location()!);
  return location.getInt32();
}

/**
 * Turns the result -1 into an error.
 *
 * @return The result, where it is none.
 * @throws {SystemCallError} Where it is.
 */
export function unwrap(call: string, result: number): number {
  if (result === -1) throw new SystemCallError(call, lastErrno());
  return result;
}
