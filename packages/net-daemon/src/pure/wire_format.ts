/**
 * The format of the stream between two relays. It starts as the original's format, and stays so
 * until both ends have announced that they can do more:
 *
 *   frame    4 bytes length, big-endian | Ethernet frame                      (plain)
 *   frame    4 bytes length, big-endian | 10 bytes virtio header | frame      (with headers)
 *   notice   a frame of 60 bytes that no kernel accepts, see below
 *
 * A notice announces two things about its sender: whether it accepts frames with virtio headers,
 * and whether everything after this notice has them. Each direction switches on its own. An end
 * that does not know notices, such as the original, writes them to its TAP, where they are dropped:
 * they go to a group address that bridges do not forward (IEEE 802.1Q, 8.6.3), with the EtherType
 * for local experiments (IEEE 802, 9.2.3).
 */

/** Bytes of the length before each frame. */
export const LENGTH_SIZE = 4;

/** Bytes of a virtio header (struct virtio_net_hdr in linux/virtio_net.h). */
export const VIRTIO_HEADER_SIZE = 10;

/** Bytes before the payload of an Ethernet frame: two addresses and the EtherType. */
export const ETHERNET_HEADER_SIZE = 14;

/** Longest frame in the original's format (its buffer). */
const MAX_PLAIN_FRAME = 65536;

/** Longest frame: an IP packet of 65535 bytes behind an Ethernet header with a VLAN tag. */
export const MAX_FRAME = 65535 + 18;

/** Size of the virtio header before each frame: none, or ten bytes. */
export type HeaderSize = 0 | typeof VIRTIO_HEADER_SIZE;

/** Largest valid length. */
export function maxPayload(headerSize: HeaderSize): number {
  return headerSize === 0 ? MAX_PLAIN_FRAME : VIRTIO_HEADER_SIZE + MAX_FRAME;
}

/** Whether a length can be that of a frame. */
export function isPossibleLength(length: number, headerSize: HeaderSize): boolean {
  return length >= headerSize + ETHERNET_HEADER_SIZE && length <= maxPayload(headerSize);
}

/** What an end announces about itself. */
export interface Notice {
  /** It accepts frames with virtio headers, including segments of up to 64 KiB. */
  readonly accepts: boolean;
  /** What follows this notice has virtio headers. */
  readonly headers: boolean;
}

/** EtherType of a notice. */
const NOTICE_ETHERTYPE = 0x88b5;

const ETHERTYPE_OFFSET = 12;

/** Smallest Ethernet frame without its check sequence (IEEE 802.3, 4A.2.3.2.4). */
const NOTICE_SIZE = 60;
const NOTICE_VERSION = 1;
const NOTICE_PREFIX = Uint8Array.of(
  ...[0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e],
  ...[0x02, 0x48, 0x50, 0x4b, 0x00, 0x01],
  ...[NOTICE_ETHERTYPE >> 8, NOTICE_ETHERTYPE & 0xff],
  // "HPKN"
  ...[0x48, 0x50, 0x4b, 0x4e],
);
const VERSION_OFFSET = NOTICE_PREFIX.length;
const FLAGS_OFFSET = VERSION_OFFSET + 1;
const FLAG_ACCEPTS = 1;
const FLAG_HEADERS = 2;

/**
 * A notice with its length, ready to send.
 *
 * @param headerSize Whether frames before it have virtio headers; then it has one too.
 */
export function encodeNotice(notice: Notice, headerSize: HeaderSize): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(LENGTH_SIZE + headerSize + NOTICE_SIZE);
  new DataView(bytes.buffer).setUint32(0, headerSize + NOTICE_SIZE);
  const frame = bytes.subarray(LENGTH_SIZE + headerSize);
  frame.set(NOTICE_PREFIX);
  frame[VERSION_OFFSET] = NOTICE_VERSION;
  frame[FLAGS_OFFSET] = (notice.accepts ? FLAG_ACCEPTS : 0) | (notice.headers ? FLAG_HEADERS : 0);
  return bytes;
}

/** Whether a frame has the EtherType of notices: such a frame never comes from a TAP. */
export function hasNoticeType(bytes: Uint8Array, frameOffset: number): boolean {
  return bytes[frameOffset + ETHERTYPE_OFFSET] === NOTICE_ETHERTYPE >> 8 &&
    bytes[frameOffset + ETHERTYPE_OFFSET + 1] === (NOTICE_ETHERTYPE & 0xff);
}

/**
 * Reads a notice.
 *
 * @param frameOffset Where the frame begins, behind length and virtio header.
 * @param frameLength Its length in bytes.
 * @return Undefined if the frame is not a notice, or one of another version.
 */
export function decodeNotice(
  bytes: Uint8Array,
  frameOffset: number,
  frameLength: number,
): Notice | undefined {
  if (frameLength < NOTICE_SIZE) return undefined;
  for (let index = 0; index < NOTICE_PREFIX.length; index++) {
    if (bytes[frameOffset + index] !== NOTICE_PREFIX[index]) return undefined;
  }
  if (bytes[frameOffset + VERSION_OFFSET] !== NOTICE_VERSION) return undefined;
  const flags = bytes[frameOffset + FLAGS_OFFSET]!;
  return { accepts: (flags & FLAG_ACCEPTS) !== 0, headers: (flags & FLAG_HEADERS) !== 0 };
}
