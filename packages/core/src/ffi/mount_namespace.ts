import { callOrThrow } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { cString, libc } from "./libc.ts";

/** unshare(2), setns(2): a mount namespace (linux/sched.h). */
const CLONE_NEWNS = 0x20000;

/** mount(2) flags (linux/mount.h): what is mounted outside shows inside, and not the other way. */
const MS_NODEV = 4;
const MS_REC = 0x4000;
const MS_SLAVE = 0x80000;

/** open(2) flags (asm-generic/fcntl.h). */
const O_CLOEXEC = 0o2000000;

/** An overlay to be mounted. */
export interface OverlayMount {
  readonly target: string;
  /** Options of the overlay, overlayfs.rst. */
  readonly options: string;
  /** Whether device files in it can be used. */
  readonly devices: boolean;
}

/**
 * Starts something in a mount namespace of its own, in which there is an overlay: whatever becomes of
 * the processes in it, the mount goes with the last of them, and the host never sees it.
 *
 * This thread is in the namespace while the function runs, and the programs that it starts stay there.
 * So the function must do its work before it returns: what it awaits would run outside.
 *
 * @param hidden Directories that are empty in it.
 * @throws {SystemCallError} When the overlay cannot be mounted.
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
  // Of the directories too, a thread that changes its mount namespace must have its own.
  const directory = Deno.cwd();
  callOrThrow("unshare", () => unshare(CLONE_NEWNS));
  try {
    const none = cString("none");
    callOrThrow("mount /", () => mount(none, cString("/"), none, MS_REC | MS_SLAVE, none));
    for (const path of hidden) {
      const memory = cString("tmpfs");
      // Over it: what is made at the path is gone with the namespace, too.
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
    // setns puts us in the root of the namespace.
    Deno.chdir(directory);
  }
}
