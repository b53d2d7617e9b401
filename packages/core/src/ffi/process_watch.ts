import { FileDescriptor } from "./fd.ts";
import { callOrThrow, callTwice, EINTR, SystemCallError } from "./errno.ts";
import { cString, libc } from "./libc.ts";

/** System call number of pidfd_open(2), the same on every architecture (asm-generic/unistd.h). */
const SYS_PIDFD_OPEN = 434;

/** inotify(7): events of files and directories, and a flag of inotify_init1(2). */
const IN_MODIFY = 0x2;
const IN_MOVED_TO = 0x80;
const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const IN_CLOEXEC = 0o2000000;
const IN_NONBLOCK = 0o4000;

/** The kernel's event queue overflowed. */
const IN_Q_OVERFLOW = 0x4000;

/** struct inotify_event: 16 bytes, mask at 4, length of the name that follows at 12. */
const EVENT_SIZE = 16;
const EVENT_MASK = 4;
const EVENT_LENGTH = 12;
const CHANGES_SIZE = 65_536;

const decoder = new TextDecoder();

/** poll(2): a struct pollfd is 8 bytes: i32 fd, i16 events, i16 revents. */
const POLLFD_SIZE = 8;
const POLLIN = 1;

/**
 * Errors of pidfd_open(2) for a pid without a process: nothing has it; only a process group still
 * has it; or its first thread is being replaced (older kernels answer EINVAL).
 */
const NO_PROCESS = [3, /* ESRCH */ 2, /* ENOENT */ 22 /* EINVAL */];

/**
 * A descriptor that becomes readable when a process ends, pidfd_open(2).
 *
 * @return Undefined if there is no such process.
 * @throws {SystemCallError} On any other failure.
 */
export function openProcess(pid: number): FileDescriptor | undefined {
  const { result, errno } = callTwice(() => libc.syscall2(SYS_PIDFD_OPEN, pid, 0));
  if (result !== -1) return new FileDescriptor(result);
  if (NO_PROCESS.includes(errno)) return undefined;
  throw new SystemCallError("pidfd_open", errno);
}

/**
 * A descriptor that becomes readable when a file is renamed into a directory or removed from it.
 *
 * @throws {SystemCallError} If the directory cannot be watched.
 */
export function watchDirectory(path: string): FileDescriptor {
  return watchPath(path, IN_MOVED_TO | IN_DELETE);
}

/**
 * A descriptor that becomes readable when a file is written to.
 *
 * @throws {SystemCallError} If the file cannot be watched.
 */
export function watchFile(path: string): FileDescriptor {
  return watchPath(path, IN_MODIFY);
}

/**
 * A descriptor that becomes readable when a file in a directory is written to, comes or goes.
 *
 * @throws {SystemCallError} When the directory cannot be watched.
 */
export function watchWrites(path: string): FileDescriptor {
  return watchPath(path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE);
}

function watchPath(path: string, events: number): FileDescriptor {
  const watch = new FileDescriptor(
    callOrThrow("inotify_init1", () => libc.inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
  );
  try {
    callOrThrow(
      `inotify_add_watch ${path}`,
      () => libc.inotify_add_watch(watch.fd, cString(path), events),
    );
  } catch (error) {
    watch.close();
    throw error;
  }
  return watch;
}

/** Drains a directory watch, so that it becomes readable again only for new events. */
export function drain(watch: FileDescriptor): void {
  const buffer = new Uint8Array(4096);
  while (libc.read(watch.fd, buffer, buffer.length) > 0);
}

/**
 * Drains a directory watch and collects which files have changed.
 *
 * @return Their names, possibly with duplicates; undefined if the kernel's queue overflowed.
 */
export function readChanges(watch: FileDescriptor): string[] | undefined {
  const buffer = new Uint8Array(CHANGES_SIZE);
  const view = new DataView(buffer.buffer);
  const names: string[] = [];
  let isComplete = true;
  for (;;) {
    const length = libc.read(watch.fd, buffer, buffer.length);
    if (length <= 0) return isComplete ? names : undefined;
    for (let at = 0; at < length;) {
      if ((view.getUint32(at + EVENT_MASK, true) & IN_Q_OVERFLOW) !== 0) isComplete = false;
      const end = at + EVENT_SIZE + view.getUint32(at + EVENT_LENGTH, true);
      names.push(decoder.decode(buffer.subarray(at + EVENT_SIZE, end)).replace(/\0+$/, ""));
      at = end;
    }
  }
}

/**
 * Blocks this thread until one of the descriptors is readable, poll(2).
 *
 * @param fds Descriptors.
 * @param timeoutMs Timeout in ms; -1 for none.
 * @return The readable ones.
 */
export function waitReadable(fds: readonly number[], timeoutMs: number): number[] {
  const buffer = new Uint8Array(fds.length * POLLFD_SIZE);
  const view = new DataView(buffer.buffer);
  fds.forEach((fd, index) => {
    view.setInt32(index * POLLFD_SIZE, fd, true);
    view.setInt16(index * POLLFD_SIZE + 4, POLLIN, true);
  });
  const { result, errno } = callTwice(() => libc.poll(buffer, fds.length, timeoutMs));
  if (result === -1 && errno !== EINTR) throw new SystemCallError("poll", errno);
  if (result <= 0) return [];
  return fds.filter((_, index) => view.getInt16(index * POLLFD_SIZE + 6, true) !== 0);
}
