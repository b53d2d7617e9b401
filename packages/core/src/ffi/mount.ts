import { callOrThrow } from "./errno.ts";
import { cString, watchLibc } from "./libc.ts";

/**
 * Unmounts what is mounted at a path, umount2(2). The umount program would leave files of its own
 * under /run.
 *
 * @throws {SystemCallError} When nothing is mounted there, or it is in use.
 */
export function unmount(path: string): void {
  callOrThrow(`umount ${path}`, () => watchLibc().umount2(cString(path), 0));
}
