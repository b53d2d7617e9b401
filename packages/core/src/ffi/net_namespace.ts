import { callOrThrow } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { cString, fileLibc, relayLibc } from "./libc.ts";

const O_CLOEXEC = 0o2000000;

/** Type of a network namespace for setns(2) (sched.h). */
const CLONE_NEWNET = 0x40000000;

/**
 * Runs a function with this thread in another network namespace. It must not wait for anything, as
 * whatever runs meanwhile on this thread would be there too.
 *
 * @param path A file that names the namespace, such as /run/netns/NAME.
 * @return What the function returns.
 * @throws {SystemCallError} When there is no such namespace, or this process may not enter it.
 */
export function inNetNamespace<T>(path: string, act: () => T): T {
  using own = openNamespace("/proc/thread-self/ns/net");
  using other = openNamespace(path);
  callOrThrow(`setns ${path}`, () => relayLibc().setns(other.fd, CLONE_NEWNET));
  try {
    return act();
  } finally {
    callOrThrow("setns back", () => relayLibc().setns(own.fd, CLONE_NEWNET));
  }
}

function openNamespace(path: string): FileDescriptor {
  return new FileDescriptor(
    callOrThrow(`open ${path}`, () => fileLibc().open(cString(path), O_CLOEXEC, 0)),
  );
}
