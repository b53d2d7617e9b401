import { callOrThrow } from "./errno.ts";
import { cString, libc } from "./libc.ts";

/**
 * Unmounts what is mounted at a path, umount2(2). The umount program would leave files of its own
 * under /run.
 *
 * @throws {SystemCallError} When nothing is mounted there, or it is in use.
 */
export function unmount(path: string): void {
  callOrThrow(`umount ${path}`, () => libc.umount2(cString(path), 0));
}

/** umount2(2): what is still in use goes when it is not any more (linux/fs.h). */
const MNT_DETACH = 2;

/**
 * Takes away what is mounted at a path, whether it is in use or not.
 *
 * @throws {SystemCallError} EINVAL where nothing is mounted there, ENOENT where there is no such path.
 */
export function detachMount(path: string): void {
  callOrThrow(`umount ${path}`, () => libc.umount2(cString(path), MNT_DETACH));
}
