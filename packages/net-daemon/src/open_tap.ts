import { type FileDescriptor, openTap, readMtu, writeMtu } from "@hpk/core/ffi";

/** An open TAP. */
export interface OpenedTap {
  readonly descriptor: FileDescriptor;
  /** Its MTU in bytes. */
  readonly mtu: number;
}

/**
 * Opens a TAP of this network namespace; creates it if it does not exist. A new one disappears when
 * it is closed, unless it is made persistent.
 *
 * @param mtu MTU in bytes to set; undefined to keep the present one.
 * @throws {SystemCallError} If the kernel refuses; a new TAP is removed again.
 */
export function openTapAs(name: string, mtu: number | undefined): OpenedTap {
  const descriptor = openTap(name);
  try {
    if (mtu !== undefined && readMtu(name) !== mtu) writeMtu(name, mtu);
    return { descriptor, mtu: readMtu(name) };
  } catch (error) {
    descriptor.close();
    throw error;
  }
}
