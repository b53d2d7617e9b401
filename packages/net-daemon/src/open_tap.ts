import { type FileDescriptor, openTap, readMtu, writeMtu } from "@hpk/core/ffi";

/** An open TAP. */
export interface OpenedTap {
  readonly descriptor: FileDescriptor;
  /** Its MTU in bytes. */
  readonly mtu: number;
}

/**
 * Opens a TAP of this network namespace, made where it does not exist; one that was made goes when it
 * is closed, unless it is made to stay.
 *
 * @param mtu MTU in bytes to set; undefined to take the one that it has.
 * @throws {SystemCallError} When it cannot be; one that was made is gone again.
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
