import { callOrThrow, callTwice, EINVAL, SystemCallError } from "./errno.ts";
import { FileDescriptor, lockExclusive, openDirectory } from "./fd.ts";
import { cString, libc } from "./libc.ts";

/** open(2) flags (asm-generic/fcntl.h). */
const O_RDONLY = 0;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_CLOEXEC = 0o2000000;

/** Flag of a network namespace, for setns(2) and unshare(2) (linux/sched.h). */
const CLONE_NEWNET = 0x40000000;

/** mount(2) flags (linux/mount.h). */
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_SHARED = 0x100000;

const OWN = "/proc/thread-self/ns/net";

/**
 * Runs a function with this thread in another network namespace. It must not await anything, since
 * other code that runs on this thread meanwhile would be there too.
 *
 * @param path A file that names the namespace, such as /run/netns/NAME.
 * @return What the function returns.
 * @throws {SystemCallError} If there is no such namespace, or this process may not enter it.
 */
export function inNetNamespace<T>(path: string, act: () => T): T {
  using own = openNamespace(OWN);
  using other = openNamespace(path);
  callOrThrow(`setns ${path}`, () => libc.setns(other.fd, CLONE_NEWNET));
  try {
    return act();
  } finally {
    callOrThrow("setns back", () => libc.setns(own.fd, CLONE_NEWNET));
  }
}

/** Opens a network namespace by a file that names it. Programs do not inherit it. */
export function openNamespace(path: string): FileDescriptor {
  return new FileDescriptor(
    callOrThrow(`open ${path}`, () => libc.open(cString(path), O_CLOEXEC, 0)),
  );
}

/**
 * Creates a named network namespace, as `ip netns add` does: it is mounted over a file in a
 * directory whose mounts propagate to all mount namespaces (ip-netns(8)).
 *
 * @param directory An existing directory.
 * @throws {SystemCallError} EEXIST if the name is taken.
 */
export function createNetNamespace(directory: string, name: string): void {
  shareMounts(directory);
  const path = `${directory}/${name}`;
  const flags = O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  libc.close(
    callOrThrow(`create ${path}`, () => libc.open(cString(path), flags, 0)),
  );
  using own = openNamespace(OWN);
  callOrThrow("unshare", () => libc.unshare(CLONE_NEWNET));
  try {
    callOrThrow(`mount ${path}`, () => mount(OWN, path, MS_BIND));
  } finally {
    callOrThrow("setns back", () => libc.setns(own.fd, CLONE_NEWNET));
  }
}

/**
 * Makes the directory a shared mount unless it is one; under a lock, since mounts would pile up.
 */
function shareMounts(directory: string): void {
  using lock = openDirectory(directory);
  lockExclusive(lock);
  const share = () => mount("", directory, MS_SHARED | MS_REC);
  const { result, errno } = callTwice(share);
  if (result !== -1) return;
  if (errno !== EINVAL) throw new SystemCallError(`mount ${directory}`, errno);
  callOrThrow(`mount ${directory}`, () => mount(directory, directory, MS_BIND | MS_REC));
  callOrThrow(`mount ${directory}`, share);
}

function mount(source: string, target: string, flags: number): number {
  const none = cString("none");
  return libc.mount(cString(source), cString(target), none, flags, none);
}
