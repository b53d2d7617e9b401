import { callOrThrow, callTwice, EAGAIN, SystemCallError } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { PinnedBuffer } from "./io_vector.ts";
import { relayLibc } from "./libc.ts";

/** cmsg(3) on 64-bit Linux: a header of 16 bytes, then the data, padded to 8. */
const CMSG_HEADER = 16;
const CMSG_LEN_ONE = 20;
const CMSG_SPACE_ONE = 24;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** struct msghdr on 64-bit Linux: 56 bytes. */
const MSGHDR_SIZE = 56;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_CONTROL = 32;
const MSG_CONTROLLEN = 40;
const MSG_FLAGS = 48;

/** Flags of sendmsg(2) and recvmsg(2). */
const MSG_CTRUNC = 0x8;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;

/** What is received besides a descriptor: at most this many bytes. */
const MESSAGE_SIZE = 4096;

/** A message and the memory that it points to. */
class Message {
  readonly data = new PinnedBuffer(MESSAGE_SIZE);
  readonly control = new PinnedBuffer(CMSG_SPACE_ONE);
  readonly #pieces = new PinnedBuffer(16);
  readonly header = new PinnedBuffer(MSGHDR_SIZE);

  constructor(length: number) {
    const pieces = new DataView(this.#pieces.bytes.buffer);
    pieces.setBigUint64(0, BigInt(this.data.address), true);
    pieces.setBigUint64(8, BigInt(length), true);
    const header = new DataView(this.header.bytes.buffer);
    header.setBigUint64(MSG_IOV, BigInt(this.#pieces.address), true);
    header.setBigUint64(MSG_IOVLEN, 1n, true);
    header.setBigUint64(MSG_CONTROL, BigInt(this.control.address), true);
    header.setBigUint64(MSG_CONTROLLEN, BigInt(CMSG_SPACE_ONE), true);
  }
}

/**
 * Sends a descriptor together with a message, SCM_RIGHTS of unix(7).
 *
 * @param text At least one byte, at most 4096.
 * @throws {SystemCallError} When the peer is gone or does not read.
 */
export function sendDescriptor(socket: number, descriptor: number, text: string): void {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length === 0 || encoded.length > MESSAGE_SIZE) {
    throw new RangeError(`a message has 1 to ${MESSAGE_SIZE} bytes, not ${encoded.length}`);
  }
  const message = new Message(encoded.length);
  message.data.bytes.set(encoded);
  const control = new DataView(message.control.bytes.buffer);
  control.setBigUint64(0, BigInt(CMSG_LEN_ONE), true);
  control.setInt32(8, SOL_SOCKET, true);
  control.setInt32(12, SCM_RIGHTS, true);
  control.setInt32(CMSG_HEADER, descriptor, true);
  callOrThrow("sendmsg", () => relayLibc().sendmsg(socket, message.header.bytes, MSG_NOSIGNAL));
}

/** A message that was received, and the descriptor that came with it. */
export interface ReceivedDescriptor {
  readonly text: string;
  /** Undefined where none came. To be closed by the receiver; programs do not inherit it. */
  readonly descriptor: FileDescriptor | undefined;
}

/**
 * Receives a message and a descriptor.
 *
 * @return Undefined when nothing has arrived yet; an empty text at the end of the connection.
 * @throws {SystemCallError} When the connection failed.
 * @throws {RangeError} When more than one descriptor came; none is kept.
 */
export function receiveDescriptor(socket: number): ReceivedDescriptor | undefined {
  const message = new Message(MESSAGE_SIZE);
  const { result: length, errno } = callTwice(() =>
    relayLibc().recvmsg(socket, message.header.bytes, MSG_CMSG_CLOEXEC)
  );
  if (length === -1) {
    if (errno === EAGAIN) return undefined;
    throw new SystemCallError("recvmsg", errno);
  }
  const header = new DataView(message.header.bytes.buffer);
  const control = new DataView(message.control.bytes.buffer);
  const isDescriptor = header.getBigUint64(MSG_CONTROLLEN, true) >= BigInt(CMSG_LEN_ONE) &&
    control.getInt32(8, true) === SOL_SOCKET && control.getInt32(12, true) === SCM_RIGHTS;
  const descriptor = isDescriptor
    ? new FileDescriptor(control.getInt32(CMSG_HEADER, true))
    : undefined;
  // Two descriptors fit into the padding of one.
  const tooMany = isDescriptor && control.getBigUint64(0, true) > BigInt(CMSG_LEN_ONE);
  if (tooMany || (header.getInt32(MSG_FLAGS, true) & MSG_CTRUNC) !== 0) {
    descriptor?.close();
    if (tooMany) new FileDescriptor(control.getInt32(CMSG_HEADER + 4, true)).close();
    throw new RangeError("a message carries one descriptor at most");
  }
  const text = new TextDecoder().decode(message.data.bytes.subarray(0, length));
  return { text, descriptor };
}
