import { callOrThrow } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { cString, libc } from "./libc.ts";

/** unshare(2), setns(2): a mount namespace (linux/sched.h). */
const CLONE_NEWNS = 0x20000;

/** mount(2) flags (linux/mount.h): mounts propagate into the namespace, but not out of it. */
const MS_NODEV = 4;
const MS_REC = 0x4000;
const MS_SLAVE = 0x80000;

/** open(2) flags (asm-generic/fcntl.h). */
const O_CLOEXEC = 0o2000000;

/** An overlay to mount. */
export interface OverlayMount {
  readonly target: string;
  /** Options of the overlay, overlayfs.rst. */
  readonly options: string;
  /** Whether device files in it can be used. */
  readonly devices: boolean;
}

/**
 * Runs a function in a mount namespace of its own, with an overlay in it. The mount goes away with
 * the last process in the namespace, however it ends, and the host never sees it.
 *
 * This thread is in the namespace while the function runs, and the programs that it starts stay there.
 * So the function must do its work before it returns: code after an await would run outside.
 *
 * @param hidden Directories that are empty in it.
 * @throws {SystemCallError} If the overlay cannot be mounted.
 */
export function startInMountNamespace<T>(
  overlay: OverlayMount,
  hidden: readonly string[],
  start: () => T,
): T {
  const { mount, unshare } = libc;
  const outside = new FileDescriptor(
    callOrThrow(
      "open /proc/thread-self/ns/mnt",
      () => libc.open(cString("/proc/thread-self/ns/mnt"), O_CLOEXEC, 0),
    ),
  );
  // A thread can only change its mount namespace if it does not share its working directory and
  // root.
  const directory = Deno.cwd();
  callOrThrow("unshare", () => unshare(CLONE_NEWNS));
  try {
    const none = cString("none");
    callOrThrow("mount /", () => mount(none, cString("/"), none, MS_REC | MS_SLAVE, none));
    for (const path of hidden) {
      const memory = cString("tmpfs");
      // On top of it: files created at the path vanish with the namespace, too.
      callOrThrow(
        `mount ${path}`,
        () => mount(memory, cString(path), memory, 0, cString("mode=755")),
      );
    }
    const type = cString("overlay");
    const options = cString(overlay.options);
    const flags = overlay.devices ? 0 : MS_NODEV;
    callOrThrow("mount overlay", () => mount(type, cString(overlay.target), type, flags, options));
    return start();
  } finally {
    callOrThrow("setns", () => libc.setns(outside.fd, CLONE_NEWNS));
    outside.close();
    // setns changed our root and working directory to the namespace's root.
    Deno.chdir(directory);
  }
}
