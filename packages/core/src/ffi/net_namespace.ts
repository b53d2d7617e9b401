import { callOrThrow, callTwice, EINVAL, SystemCallError } from "./errno.ts";
import { FileDescriptor, lockExclusive, openDirectory } from "./fd.ts";
import { cString, libc } from "./libc.ts";

/** open(2) flags (asm-generic/fcntl.h). */
const O_RDONLY = 0;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_CLOEXEC = 0o2000000;

/** A network namespace, for setns(2) and unshare(2) (linux/sched.h). */
const CLONE_NEWNET = 0x40000000;

/** mount(2) flags (linux/mount.h). */
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MS_SHARED = 0x100000;

const OWN = "/proc/thread-self/ns/net";

/**
 * Runs a function with this thread in another network namespace. It must not wait for anything, as
 * whatever runs meanwhile on this thread would be there too.
 *
 * @param path A file that names the namespace, such as /run/netns/NAME.
 * @return What the function returns.
 * @throws {SystemCallError} When there is no such namespace, or this process may not enter it.
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

/** Opens a network namespace by a file that names it. Not inherited by programs. */
export function openNamespace(path: string): FileDescriptor {
  return new FileDescriptor(
    callOrThrow(`open ${path}`, () => libc.open(cString(path), O_CLOEXEC, 0)),
  );
}

/**
 * Makes a network namespace with a name, as `ip netns add` does: a file over which it is mounted, in a
 * directory of such files whose mounts show in all mount namespaces (ip-netns(8)).
 *
 * @param directory Exists.
 * @throws {SystemCallError} EEXIST where there is such a file.
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

/** Makes the directory a mount that is shared, unless it is one; one at a time, since mounts pile up. */
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
