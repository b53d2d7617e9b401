/**
 * Merges consecutive complete TCP segments into one segment of up to 64 KiB with a virtio header:
 * what a peer without offload sends one by one passes the kernel's stack in one go, as behind a
 * network card (generic receive offload). The segments arrive through memory of this host, so their
 * checksums are trusted, as those of a virtual machine are.
 */

import { sum16 } from "./checksum.ts";
import type { FrameBatch } from "./frame_batch.ts";
import { ETHERNET_HEADER_SIZE, VIRTIO_HEADER_SIZE } from "./wire_format.ts";

/** Most segments merged: 64 KiB of an Ethernet MTU's. */
export const MOST_SEGMENTS = 46;

/** Bytes of the longest headers: Ethernet, IPv4 without options, TCP with 40 bytes of options. */
export const LONGEST_HEADERS = ETHERNET_HEADER_SIZE + 20 + 60;

/** Most bytes of an IPv4 packet. */
const MOST_PACKET = 65535;

/** Offsets in a frame of Ethernet, IPv4 without options, and TCP (RFC 791, RFC 9293). */
const IP = ETHERNET_HEADER_SIZE;
const IP_TOTAL = IP + 2;
const IP_FRAGMENT = IP + 6;
const IP_PROTOCOL = IP + 9;
const IP_CHECKSUM = IP + 10;
const IP_SOURCE = IP + 12;
const TCP = IP + 20;
const TCP_SEQUENCE = TCP + 4;
const TCP_OFFSET = TCP + 12;
const TCP_FLAGS = TCP + 13;
const TCP_CHECKSUM = TCP + 16;
const TCP_URGENT = TCP + 18;

const FLAG_ACK = 0x10;
const FLAG_PSH = 0x08;

/** Size of the headers of a segment with data that may be merged; 0 for any other frame. */
export function mergeableHeaders(bytes: Uint8Array, at: number, length: number): number {
  if (length <= TCP + 20 || bytes[at + 12] !== 0x08 || bytes[at + 13] !== 0x00) return 0;
  if (bytes[at + IP] !== 0x45 || bytes[at + IP_PROTOCOL] !== 6) return 0;
  // Neither a fragment, nor padded.
  if ((bytes[at + IP_FRAGMENT]! & 0x3f) !== 0 || bytes[at + IP_FRAGMENT + 1] !== 0) return 0;
  if ((bytes[at + IP_TOTAL]! << 8 | bytes[at + IP_TOTAL + 1]!) !== length - IP) return 0;
  const flags = bytes[at + TCP_FLAGS]!;
  if (flags !== FLAG_ACK && flags !== (FLAG_ACK | FLAG_PSH)) return 0;
  const headers = TCP + (bytes[at + TCP_OFFSET]! >> 4) * 4;
  return headers >= TCP + 20 && headers < length ? headers : 0;
}

/**
 * How many frames of a batch, from one on, can be merged.
 *
 * @param headers Of the first one, from mergeableHeaders.
 * @return 1 if the next one does not continue it.
 */
export function countMergeable(batch: FrameBatch, index: number, headers: number): number {
  const { bytes, view } = batch;
  const first = batch.offset(index);
  const size = batch.length(index) - headers;
  let sequence = (view.getUint32(first + TCP_SEQUENCE) + size) >>> 0;
  let total = headers - IP + size;
  let last = first;
  let count = 1;
  while (count < MOST_SEGMENTS && index + count < batch.count) {
    if ((bytes[last + TCP_FLAGS]! & FLAG_PSH) !== 0) break;
    const length = batch.length(index + count);
    const at = batch.offset(index + count);
    const more = length - headers;
    if (length === 0 || more > size || total + more > MOST_PACKET) break;
    if (mergeableHeaders(bytes, at, length) !== headers) break;
    if (view.getUint32(at + TCP_SEQUENCE) !== sequence) break;
    if (!sameHeaders(bytes, first, at, headers)) break;
    sequence = (sequence + more) >>> 0;
    total += more;
    last = at;
    count++;
    // A shorter one is the last.
    if (more < size) break;
  }
  return count;
}

/**
 * Whether two segments have the same headers, apart from the fields that differ between consecutive
 * ones.
 */
function sameHeaders(bytes: Uint8Array, a: number, b: number, headers: number): boolean {
  for (let at = 0; at < headers; at++) {
    if (bytes[a + at] === bytes[b + at]) continue;
    const mayDiffer = (at >= IP_TOTAL && at < IP_FRAGMENT) ||
      (at >= IP_CHECKSUM && at < IP_SOURCE) ||
      (at >= TCP_SEQUENCE && at < TCP_SEQUENCE + 4) || at === TCP_FLAGS ||
      (at >= TCP_CHECKSUM && at < TCP_URGENT);
    if (!mayDiffer) return false;
  }
  return true;
}

/**
 * Writes the virtio header and the headers of merged frames.
 *
 * @param target Room for both.
 * @param headers Size of each frame's headers, in bytes.
 * @param count Number of frames.
 * @return Bytes written.
 */
export function writeMergedHeaders(
  target: DataView,
  batch: FrameBatch,
  index: number,
  headers: number,
  count: number,
): number {
  const first = batch.offset(index);
  const last = batch.offset(index + count - 1);
  let payload = 0;
  for (let frame = 0; frame < count; frame++) payload += batch.length(index + frame) - headers;
  const at = VIRTIO_HEADER_SIZE;
  for (let byte = 0; byte < headers; byte++) target.setUint8(at + byte, batch.bytes[first + byte]!);
  target.setUint8(0, 1);
  target.setUint8(1, 1);
  target.setUint16(2, headers, true);
  target.setUint16(4, batch.length(index) - headers, true);
  target.setUint16(6, TCP, true);
  target.setUint16(8, TCP_CHECKSUM - TCP, true);
  target.setUint8(at + TCP_FLAGS, batch.bytes[last + TCP_FLAGS]!);
  target.setUint16(at + IP_TOTAL, headers - IP + payload);
  target.setUint16(at + IP_CHECKSUM, 0);
  target.setUint16(at + IP_CHECKSUM, ~sum16(target, at + IP, at + TCP, 0) & 0xffff);
  // The sum of the pseudo header; the kernel or the card adds the rest.
  const pseudo = sum16(target, at + IP_SOURCE, at + TCP, 6 + headers - TCP + payload);
  target.setUint16(at + TCP_CHECKSUM, pseudo);
  return at + headers;
}
