import { callTwice, EAGAIN, EINTR, SystemCallError } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { PinnedBuffer } from "./io_vector.ts";
import { libc } from "./libc.ts";

/** Buffer for the data that comes with a descriptor: the name of a terminal. */
const TEXT_SIZE = 256;

/** CMSG_SPACE of one descriptor, cmsg(3): a header of 16 bytes, the number, and padding. */
const CONTROL_SIZE = 24;
const CONTROL_DATA = 16;

/** struct msghdr and struct iovec of 64-bit machines (bits/socket.h, bits/types/struct_iovec.h). */
const MESSAGE_SIZE = 56;
const MESSAGE_VECTOR = 16;
const MESSAGE_VECTOR_COUNT = 24;
const MESSAGE_CONTROL = 32;
const MESSAGE_CONTROL_SIZE = 40;
const VECTOR_SIZE = 16;

/** recvmsg(2): programs do not inherit the descriptor (bits/socket.h). */
const MSG_CMSG_CLOEXEC = 0x40000000;

/** unix(7): the level and type of a message that carries descriptors. */
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/**
 * Receives a descriptor over a UNIX domain socket, recvmsg(2) with SCM_RIGHTS.
 *
 * @return Undefined if nothing has arrived yet, or the message carries no descriptor.
 * @throws {SystemCallError} If nothing can arrive any more.
 */
export function receiveDescriptor(socket: number): FileDescriptor | undefined {
  const text = new PinnedBuffer(TEXT_SIZE);
  const vector = new PinnedBuffer(VECTOR_SIZE);
  const control = new PinnedBuffer(CONTROL_SIZE);
  const message = new Uint8Array(MESSAGE_SIZE);
  const vectorView = new DataView(vector.bytes.buffer);
  vectorView.setBigUint64(0, BigInt(text.address), true);
  vectorView.setBigUint64(8, BigInt(TEXT_SIZE), true);
  const view = new DataView(message.buffer);
  view.setBigUint64(MESSAGE_VECTOR, BigInt(vector.address), true);
  view.setBigUint64(MESSAGE_VECTOR_COUNT, 1n, true);
  view.setBigUint64(MESSAGE_CONTROL, BigInt(control.address), true);
  view.setBigUint64(MESSAGE_CONTROL_SIZE, BigInt(CONTROL_SIZE), true);
  const { recvmsg } = libc;
  const { result, errno } = callTwice(() => recvmsg(socket, message, MSG_CMSG_CLOEXEC));
  if (result === -1) {
    if (errno === EAGAIN || errno === EINTR) return undefined;
    throw new SystemCallError("recvmsg", errno);
  }
  const header = new DataView(control.bytes.buffer);
  const isDescriptor = view.getBigUint64(MESSAGE_CONTROL_SIZE, true) > 0n &&
    header.getInt32(8, true) === SOL_SOCKET && header.getInt32(12, true) === SCM_RIGHTS;
  return isDescriptor ? new FileDescriptor(header.getInt32(CONTROL_DATA, true)) : undefined;
}
