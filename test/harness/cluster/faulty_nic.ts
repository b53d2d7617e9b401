/**
 * A network card that offloads checksums but fails at those inside VXLAN, as some do; between two
 * network namespaces, each of which gets a TAP. Everything else passes intact.
 *
 *   deno run -A _faulty_nic.ts NAMESPACE LINK OTHER-NAMESPACE OTHER-LINK
 *
 * The kernel leaves one checksum of a packet to the card, by VIRTIO_NET_HDR_F_NEEDS_CSUM
 * (linux/virtio_net.h): that of TCP or UDP inside VXLAN, which determines that of the outer UDP,
 * or, if the inner one is done, the outer one. The card never fills in the inner one.
 */
import { readInto } from "@hpk/core/testing";
import {
  inNetNamespace,
  IoVector,
  openTap,
  PinnedBuffer,
  setTapOffload,
  waitReadable,
} from "@hpk/core/ffi";

const VIRTIO_HEADER = 10;
const NEEDS_CSUM = 1;
/** Frames are at most 64 KiB and their headers. */
const buffer = new PinnedBuffer(VIRTIO_HEADER + 65_536 + 18);
const view = new DataView(buffer.bytes.buffer);
const vector = new IoVector(1);

/**
 * Offset of the field in the virtio header that says where the checksummed part of the frame
 * starts.
 */
const CHECKSUM_START = 6;
/** The first transport header of an Ethernet frame: behind 14 bytes and an IPv4 header of 20. */
const TRANSPORT = 14 + 20;

const [namespace, link, otherNamespace, otherLink] = Deno.args;
const card = inNetNamespace(namespace!, () => openTap(link!));
const cable = inNetNamespace(otherNamespace!, () => openTap(otherLink!));
for (const tap of [card, cable]) {
  if (!setTapOffload(tap.fd, true)) throw new Error("the kernel offers no offload");
}
console.log("ready");
for (;;) {
  waitReadable([card.fd, cable.fd], -1);
  pump(card.fd, cable.fd, true);
  pump(cable.fd, card.fd, false);
}

function pump(from: number, to: number, isFaulty: boolean): void {
  for (;;) {
    const length = readInto(from, buffer.bytes);
    if (length <= 0) return;
    const isInner = view.getUint16(CHECKSUM_START, true) > TRANSPORT;
    if (isFaulty && isInner) buffer.bytes[0]! &= ~NEEDS_CSUM;
    vector.set(0, buffer.address, length);
    vector.write(to, 1);
  }
}
