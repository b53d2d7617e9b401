import { callOrThrow, EINVAL, SystemCallError } from "./errno.ts";
import { cString, libc } from "./libc.ts";

/**
 * Unmounts the file system at a path, umount2(2). The umount program would leave files of its own
 * under /run.
 *
 * @return False if there is nothing to unmount. A mount that another one hides does not count.
 * @throws {SystemCallError} If it is in use, or there is no such path.
 */
export function unmount(path: string): boolean {
  try {
    callOrThrow(`umount ${path}`, () => libc.umount2(cString(path), 0));
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === EINVAL) return false;
    throw error;
  }
}

/** umount2(2): detach now, and clean up once it is no longer in use (linux/fs.h). */
const MNT_DETACH = 2;

/**
 * Detaches the file system at a path, even if it is in use.
 *
 * @throws {SystemCallError} EINVAL if nothing is mounted there, ENOENT if the path does not exist.
 */
export function detachMount(path: string): void {
  callOrThrow(`umount ${path}`, () => libc.umount2(cString(path), MNT_DETACH));
}
