import { ETHERNET_HEADER_SIZE } from "./wire_format.ts";

/** Flags and kinds of struct virtio_net_hdr (linux/virtio_net.h). */
const F_NEEDS_CSUM = 1;
const GSO_NONE = 0;
const GSO_TCPV4 = 1;
const GSO_TCPV6 = 4;
const GSO_ECN = 0x80;

/** Smallest headers of a segment: Ethernet, IPv4, TCP. */
const MIN_SEGMENT_HEADERS = ETHERNET_HEADER_SIZE + 20 + 20;

/** A VLAN tag, which does not count towards the MTU. */
const VLAN_TAG_SIZE = 4;

/** Why a frame and its virtio header are rejected. */
export type HeaderFault = "none" | "invalid" | "oversize";

/** Whether a frame is incomplete: segments to be split, or a checksum to be filled in. */
export function needsOffload(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & F_NEEDS_CSUM) !== 0 || bytes[offset + 1] !== GSO_NONE;
}

/**
 * Validates a virtio header from a peer before the kernel is asked to act on it: the peer chose it,
 * and its fields are offsets into the frame.
 *
 * @param bytes In the byte order of this machine, as the kernel has it for a TAP: little-endian.
 * @param offset Where the header begins; the frame follows it.
 * @param frameLength Length of the frame in bytes.
 * @param mtu Largest packet that may leave, in bytes.
 */
export function checkHeader(
  bytes: Uint8Array,
  offset: number,
  frameLength: number,
  mtu: number,
): HeaderFault {
  const flags = bytes[offset]!;
  const kind = bytes[offset + 1]! & ~GSO_ECN;
  if ((flags & F_NEEDS_CSUM) !== 0) {
    const start = bytes[offset + 6]! | bytes[offset + 7]! << 8;
    const field = bytes[offset + 8]! | bytes[offset + 9]! << 8;
    if (start < ETHERNET_HEADER_SIZE || start + field + 2 > frameLength) return "invalid";
  }
  const longest = mtu + ETHERNET_HEADER_SIZE + VLAN_TAG_SIZE;
  if (kind === GSO_NONE) return frameLength > longest ? "oversize" : "none";
  if (kind !== GSO_TCPV4 && kind !== GSO_TCPV6) return "invalid";
  // The kernel splits a segment only if it also fills in the checksum.
  if ((flags & F_NEEDS_CSUM) === 0) return "invalid";
  const headers = bytes[offset + 2]! | bytes[offset + 3]! << 8;
  const segment = bytes[offset + 4]! | bytes[offset + 5]! << 8;
  if (segment === 0 || headers > frameLength) return "invalid";
  return segment + MIN_SEGMENT_HEADERS > longest ? "oversize" : "none";
}
