import { closeDescriptor, writeText } from "@hpk/core/ffi";

/**
 * Notifies our parent that we are ready: writes "ready" to a descriptor that it passed on, and
 * closes it.
 */
export function notifyReady(fd: number): void {
  writeText(fd, "ready\n");
  closeDescriptor(fd);
}
