import { callOrThrow, callTwice, EAGAIN, EINTR, SystemCallError } from "./errno.ts";
import { cString, libc } from "./libc.ts";

/** open(2) flags (asm-generic/fcntl.h; two of them differ on ARM: asm/fcntl.h). */
const O_WRONLY = 0o1;
const O_RDWR = 0o2;
const O_CREAT = 0o100;
const O_APPEND = 0o2000;
const IS_ARM = Deno.build.arch === "aarch64";
const O_DIRECTORY = IS_ARM ? 0o40000 : 0o200000;
const O_NOFOLLOW = IS_ARM ? 0o100000 : 0o400000;
const O_CLOEXEC = 0o2000000;

/** flock(2) operations (sys/file.h). */
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** fcntl(2) commands and the one descriptor flag (asm-generic/fcntl.h). */
const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** A file descriptor that is closed at the end of its scope. */
export class FileDescriptor implements Disposable {
  /** The number. */
  readonly fd: number;
  #open = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Closes it; a second call does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    libc.close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a file for locking; creates it with mode 0600 if needed. Programs do not inherit it.
 *
 * @throws {SystemCallError} If it cannot be opened.
 */
export function openLockFile(path: string): FileDescriptor {
  return new FileDescriptor(
    callOrThrow(
      `open ${path}`,
      () => libc.open(cString(path), O_RDWR | O_CREAT | O_CLOEXEC, 0o600),
    ),
  );
}

/**
 * Opens a directory for locking. Programs do not inherit it.
 *
 * @throws {SystemCallError} If it cannot be opened.
 */
export function openDirectory(path: string): FileDescriptor {
  return new FileDescriptor(
    callOrThrow(`open ${path}`, () => libc.open(cString(path), O_DIRECTORY | O_CLOEXEC, 0)),
  );
}

/**
 * As {@linkcode openDirectory}, unless the last part of the path is a symbolic link.
 *
 * @throws {SystemCallError} If it cannot be opened: ELOOP or ENOTDIR where it is a link.
 */
export function openRealDirectory(path: string): FileDescriptor {
  const flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  return new FileDescriptor(callOrThrow(`open ${path}`, () => libc.open(cString(path), flags, 0)));
}

/**
 * Opens a file for appending; creates it if needed. Does not follow a symbolic link. Programs do not
 * inherit it.
 *
 * @param mode Its permissions if it is created, less the umask.
 * @throws {SystemCallError} If it cannot be opened.
 */
export function openForAppending(path: string, mode: number): FileDescriptor {
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  return new FileDescriptor(
    callOrThrow(`open ${path}`, () => libc.open(cString(path), flags, mode)),
  );
}

/**
 * Waits for the exclusive lock of an open file, flock(2). Closing its last descriptor releases it.
 */
export function lockExclusive(file: FileDescriptor): void {
  waitForLock(file, LOCK_EX);
}

/** Waits for a shared lock of an open file, flock(2): it excludes only exclusive locks. */
export function lockShared(file: FileDescriptor): void {
  waitForLock(file, LOCK_SH);
}

function waitForLock(file: FileDescriptor, operation: number): void {
  for (;;) {
    const { result, errno } = callTwice(() => libc.flock(file.fd, operation));
    if (result === 0) return;
    if (errno !== EINTR) throw new SystemCallError("flock", errno);
  }
}

/** Takes the exclusive lock of an open file if it is free. */
export function tryLockExclusive(file: FileDescriptor): boolean {
  const { result, errno } = callTwice(() => libc.flock(file.fd, LOCK_EX | LOCK_NB));
  if (result === 0) return true;
  if (errno === EAGAIN) return false;
  throw new SystemCallError("flock", errno);
}

/**
 * Flushes the file system of an open file to the disk, syncfs(2).
 *
 * @throws {SystemCallError} If a write failed.
 */
export function syncFileSystem(file: FileDescriptor): void {
  callOrThrow("syncfs", () => libc.syncfs(file.fd));
}

/** Sets whether programs that are started from now on inherit a descriptor. */
export function setInheritable(fd: number, inheritable: boolean): void {
  callOrThrow("fcntl", () => libc.fcntl(fd, F_SETFD, inheritable ? 0 : FD_CLOEXEC));
}

/** Whether programs inherit a descriptor; false also if it is not open. */
export function isInheritable(fd: number): boolean {
  const flags = libc.fcntl(fd, F_GETFD, 0);
  return flags !== -1 && (flags & FD_CLOEXEC) === 0;
}

/**
 * Writes a short text to a descriptor that our parent has passed on.
 *
 * @throws {SystemCallError} If it is not open, or its reader is gone.
 */
export function writeText(fd: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  callOrThrow("write", () => libc.write(fd, bytes, bytes.length));
}

/** Closes a descriptor that our parent has passed on. */
export function closeDescriptor(fd: number): void {
  libc.close(fd);
}

/**
 * fcntl(2): sets the flags of an open file, and its flag for non-blocking I/O
 * (asm-generic/fcntl.h).
 */
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** Makes reads and writes return at once instead of blocking. */
export function setNonBlocking(fd: number): void {
  callOrThrow("fcntl", () => libc.fcntl(fd, F_SETFL, O_NONBLOCK));
}
