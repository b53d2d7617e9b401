/**
 * Merges consecutive UDP datagrams of one flow and one size into one frame, with a virtio header
 * that has the kernel split it again where it is delivered (UDP segmentation, udp(7) UDP_SEGMENT):
 * the datagrams pass the stack in one go, as behind a network card that merges them (generic
 * receive offload). Their checksums are trusted, as those of a virtual machine are: they arrive
 * through memory of this host.
 */

import { sum16 } from "./checksum.ts";
import type { FrameBatch } from "./frame_batch.ts";
import { ETHERNET_HEADER_SIZE, VIRTIO_HEADER_SIZE } from "./wire_format.ts";

/**
 * Most datagrams merged: what every kernel with UDP_SEGMENT can split (UDP_MAX_SEGMENTS,
 * linux/udp.h).
 */
export const MOST_DATAGRAMS = 64;

/** Offsets in a frame of Ethernet, IPv4 without options, and UDP (RFC 791, RFC 768). */
const IP = ETHERNET_HEADER_SIZE;
const IP_TOTAL = IP + 2;
const IP_FRAGMENT = IP + 6;
const IP_PROTOCOL = IP + 9;
const IP_CHECKSUM = IP + 10;
const IP_SOURCE = IP + 12;
const UDP = IP + 20;
const UDP_LENGTH = UDP + 4;
const UDP_CHECKSUM = UDP + 6;

/** Size of the headers of a datagram that may be merged. */
export const DATAGRAM_HEADERS = UDP + 8;

const PROTOCOL_UDP = 17;

/** "Don't fragment": only then may the identification be lost (RFC 6864, 4.1). */
const DONT_FRAGMENT = 0x40;

/** Kinds and flags of struct virtio_net_hdr (linux/virtio_net.h). */
const F_NEEDS_CSUM = 1;
const GSO_NONE = 0;
const GSO_UDP_L4 = 5;

/** Most bytes of an IPv4 packet. */
const MOST_PACKET = 65535;

/**
 * How many frames of a batch, from one on, are datagrams that can be merged.
 *
 * @return 1 if the first is not a datagram, or the next one differs.
 */
export function countDatagrams(batch: FrameBatch, index: number): number {
  const length = batch.length(index);
  const first = batch.offset(index) + batch.headerSize;
  if (!isMergeable(batch, index)) return 1;
  const size = length - batch.headerSize - DATAGRAM_HEADERS;
  let total = length - batch.headerSize - IP;
  let count = 1;
  while (count < MOST_DATAGRAMS && index + count < batch.count) {
    const next = index + count;
    const more = batch.length(next) - batch.headerSize - DATAGRAM_HEADERS;
    if (more > size || total + more > MOST_PACKET || !isMergeable(batch, next)) break;
    if (!isOfFlow(batch.bytes, first, batch.offset(next) + batch.headerSize)) break;
    total += more;
    count++;
    // A shorter one is the last.
    if (more < size) break;
  }
  return count;
}

/** Whether a frame is a complete UDP datagram with data and a checksum. */
function isMergeable(batch: FrameBatch, index: number): boolean {
  const { bytes } = batch;
  const length = batch.length(index) - batch.headerSize;
  if (length <= DATAGRAM_HEADERS) return false;
  const at = batch.offset(index) + batch.headerSize;
  if (bytes[at + IP_PROTOCOL] !== PROTOCOL_UDP || bytes[at + IP] !== 0x45) return false;
  if (bytes[at + 12] !== 0x08 || bytes[at + 13] !== 0x00) return false;
  if (batch.headerSize !== 0 && bytes[batch.offset(index) + 1] !== GSO_NONE) return false;
  if (bytes[at + IP_FRAGMENT] !== DONT_FRAGMENT || bytes[at + IP_FRAGMENT + 1] !== 0) return false;
  // Neither padded nor truncated, and with a checksum.
  if ((bytes[at + IP_TOTAL]! << 8 | bytes[at + IP_TOTAL + 1]!) !== length - IP) return false;
  if ((bytes[at + UDP_LENGTH]! << 8 | bytes[at + UDP_LENGTH + 1]!) !== length - UDP) return false;
  return bytes[at + UDP_CHECKSUM] !== 0 || bytes[at + UDP_CHECKSUM + 1] !== 0;
}

/** Whether two datagrams have the same addresses, ports, type of service and time to live. */
function isOfFlow(bytes: Uint8Array, a: number, b: number): boolean {
  for (let at = 0; at < UDP_LENGTH; at++) {
    const mayDiffer = (at >= IP_TOTAL && at < IP_FRAGMENT) ||
      (at >= IP_CHECKSUM && at < IP_SOURCE);
    if (!mayDiffer && bytes[a + at] !== bytes[b + at]) return false;
  }
  return true;
}

/**
 * Writes the virtio header and the headers of merged datagrams.
 *
 * @param target Room for both.
 * @param count Number of datagrams.
 * @return Bytes written.
 */
export function writeDatagramHeaders(
  target: DataView,
  batch: FrameBatch,
  index: number,
  count: number,
): number {
  const first = batch.offset(index) + batch.headerSize;
  const head = batch.headerSize + DATAGRAM_HEADERS;
  let payload = 0;
  for (let frame = 0; frame < count; frame++) payload += batch.length(index + frame) - head;
  const at = VIRTIO_HEADER_SIZE;
  for (let byte = 0; byte < DATAGRAM_HEADERS; byte++) {
    target.setUint8(at + byte, batch.bytes[first + byte]!);
  }
  target.setUint8(0, F_NEEDS_CSUM);
  target.setUint8(1, GSO_UDP_L4);
  target.setUint16(2, DATAGRAM_HEADERS, true);
  target.setUint16(4, batch.length(index) - head, true);
  target.setUint16(6, UDP, true);
  target.setUint16(8, UDP_CHECKSUM - UDP, true);
  target.setUint16(at + IP_TOTAL, DATAGRAM_HEADERS - IP + payload);
  target.setUint16(at + UDP_LENGTH, DATAGRAM_HEADERS - UDP + payload);
  target.setUint16(at + IP_CHECKSUM, 0);
  target.setUint16(at + IP_CHECKSUM, ~sum16(target, at + IP, at + UDP, 0) & 0xffff);
  // The sum of the pseudo header; the kernel or the card adds the rest.
  const initial = PROTOCOL_UDP + DATAGRAM_HEADERS - UDP + payload;
  target.setUint16(at + UDP_CHECKSUM, sum16(target, at + IP_SOURCE, at + UDP, initial));
  return at + DATAGRAM_HEADERS;
}
