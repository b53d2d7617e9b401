import { type FileDescriptor, openTap, readMtu, setTapPersistent, writeMtu } from "@hpk/core/ffi";

/** How a TAP is to be opened. */
export interface TapRequest {
  readonly name: string;
  /** MTU in bytes to set; undefined to take the one that it has. */
  readonly mtu: number | undefined;
  /** Whether it stays when the process ends, with its addresses and routes. */
  readonly persistent: boolean;
}

/** An open TAP. */
export interface OpenedTap {
  readonly descriptor: FileDescriptor;
  /** Its MTU in bytes. */
  readonly mtu: number;
}

/**
 * Opens a TAP of this network namespace, made where it does not exist.
 *
 * @throws {SystemCallError} When it cannot be; one that was made is gone again.
 */
export function openTapAs(request: TapRequest): OpenedTap {
  const descriptor = openTap(request.name);
  try {
    if (request.mtu !== undefined && readMtu(request.name) !== request.mtu) {
      writeMtu(request.name, request.mtu);
    }
    if (request.persistent) setTapPersistent(descriptor, true);
    return { descriptor, mtu: readMtu(request.name) };
  } catch (error) {
    descriptor.close();
    throw error;
  }
}
