import { closeDescriptor, writeText } from "@hpk/core/ffi";

/**
 * Tells whoever started us that we are ready: writes "ready" to a descriptor of theirs, and closes it.
 */
export function tellReady(fd: number): void {
  writeText(fd, "ready\n");
  closeDescriptor(fd);
}
