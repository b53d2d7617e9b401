/**
 * Messages of netlink(7), encoded and decoded. Numbers are in the host's order, which is
 * little-endian on both architectures that Deno compiles for on Linux; addresses inside attributes
 * are in network order.
 */

/** An attribute, struct nlattr. */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** A message: struct nlmsghdr and what follows it. */
export interface NetlinkMessage {
  /** Type of the request or answer, such as RTM_NEWLINK. */
  readonly type: number;
  /** NLM_F_* flags. */
  readonly flags: number;
  /** The fixed-size structure that belongs to the type, such as struct ifinfomsg. */
  readonly header: Uint8Array;
  readonly attributes: readonly Attribute[];
}

/** A received message. */
export interface ReceivedMessage {
  readonly type: number;
  readonly flags: number;
  /** Number of the request that it answers. */
  readonly sequence: number;
  /** Everything after struct nlmsghdr. */
  readonly payload: Uint8Array;
}

/** Flags of a request (linux/netlink.h). */
const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
/** Dumps everything instead of one. */
export const NLM_F_DUMP = 0x300;

/** Types of messages that every family has (linux/netlink.h). */
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** Flags of an error: the request is not repeated in it; there are attributes. */
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
/** Attribute of an error: a message in English. */
const NLMSGERR_ATTR_MSG = 1;

/** Flag bits of an attribute's type: nested, and in network order. */
const NLA_TYPE_MASK = 0x3fff;

/** Sizes of struct nlmsghdr and struct nlattr, and the alignment of both. */
const MESSAGE_HEADER = 16;
const ATTRIBUTE_HEADER = 4;
const ALIGNMENT = 4;

function aligned(length: number): number {
  return (length + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

/** Encodes a message. @param sequence The number that its answers repeat. */
export function encodeMessage(message: NetlinkMessage, sequence: number): Uint8Array<ArrayBuffer> {
  const { type, flags, header, attributes } = message;
  const encoded = encodeAttributes(attributes);
  const start = MESSAGE_HEADER + aligned(header.length);
  const bytes = new Uint8Array(start + encoded.length);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags | NLM_F_REQUEST, true);
  view.setUint32(8, sequence, true);
  bytes.set(header, MESSAGE_HEADER);
  bytes.set(encoded, start);
  return bytes;
}

/** Encodes attributes: the value of an attribute that nests them. */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array<ArrayBuffer> {
  const sizes = attributes.map(({ value }) => ATTRIBUTE_HEADER + value.length);
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + aligned(size), 0));
  const view = viewOf(bytes);
  let at = 0;
  attributes.forEach(({ type, value }, index) => {
    view.setUint16(at, sizes[index]!, true);
    view.setUint16(at + 2, type, true);
    bytes.set(value, at + ATTRIBUTE_HEADER);
    at += aligned(sizes[index]!);
  });
  return bytes;
}

/** Splits a datagram into messages. */
export function decodeMessages(bytes: Uint8Array): ReceivedMessage[] {
  const view = viewOf(bytes);
  const messages: ReceivedMessage[] = [];
  for (let at = 0; at + MESSAGE_HEADER <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < MESSAGE_HEADER || at + length > bytes.length) break;
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      payload: bytes.subarray(at + MESSAGE_HEADER, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** Values of attributes by their type. If several have one type the last counts. */
export function decodeAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const view = viewOf(bytes);
  const values = new Map<number, Uint8Array>();
  for (let at = 0; at + ATTRIBUTE_HEADER <= bytes.length;) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER || at + length > bytes.length) break;
    const type = view.getUint16(at + 2, true) & NLA_TYPE_MASK;
    values.set(type, bytes.subarray(at + ATTRIBUTE_HEADER, at + length));
    at += aligned(length);
  }
  return values;
}

/** Result of a request: its error number, 0 for success, and the kernel's error text. */
export interface RequestEnd {
  readonly errno: number;
  readonly text: string | undefined;
}

/** The result in a message that ends the answers to a request; undefined if more are to come. */
export function endOf({ type, flags, payload }: ReceivedMessage): RequestEnd | undefined {
  if (type === NLMSG_DONE) {
    return { errno: payload.length < 4 ? 0 : -viewOf(payload).getInt32(0, true), text: undefined };
  }
  if (type !== NLMSG_ERROR) return undefined;
  const view = viewOf(payload);
  const errno = -view.getInt32(0, true);
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, text: undefined };
  const request = (flags & NLM_F_CAPPED) === 0 ? view.getUint32(4, true) : MESSAGE_HEADER;
  const text = decodeAttributes(payload.subarray(4 + aligned(request))).get(NLMSGERR_ATTR_MSG);
  return { errno, text: text === undefined ? undefined : textOf(text) };
}

/** The text in an attribute, without its terminating zero. */
export function textOf(value: Uint8Array): string {
  const end = value.indexOf(0);
  return new TextDecoder().decode(end === -1 ? value : value.subarray(0, end));
}

/** The number in an attribute of four bytes. */
export function uint32Of(value: Uint8Array): number {
  return viewOf(value).getUint32(0, true);
}

/** An attribute with a text. */
export function textAttribute(type: number, text: string): Attribute {
  return { type, value: new TextEncoder().encode(`${text}\0`) };
}

/** An attribute with a number of four bytes. */
export function uint32Attribute(type: number, value: number): Attribute {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return { type, value: bytes };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
