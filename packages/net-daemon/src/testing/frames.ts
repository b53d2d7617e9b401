/** Ethernet address of the container in tests, and its IPv4 address 10.9.0.2. */
export const MAC = [0x0a, 0x58, 0x0a, 0x09, 0x00, 0x02];
export const IPV4 = [10, 9, 0, 2];

/** A broadcast frame. */
export function frame(type: number, payload: number[], source = MAC): Uint8Array<ArrayBuffer> {
  const broadcast = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
  return Uint8Array.of(...broadcast, ...source, type >> 8, type & 0xff, ...payload);
}

/** An IPv4 frame with some bytes of payload. */
export function ipv4Frame(source = IPV4, mac = MAC, size = 8): Uint8Array<ArrayBuffer> {
  const header = [0x45, 0, 0, 20 + size, 0, 0, 0, 0, 64, 17, 0, 0];
  return frame(0x0800, [...header, ...source, 10, 9, 0, 1, ...new Array(size).fill(7)], mac);
}

/** An ARP request. */
export function arpFrame(senderMac = MAC, sender = IPV4, source = MAC): Uint8Array<ArrayBuffer> {
  const fixed = [0, 1, 8, 0, 6, 4, 0, 1];
  const payload = [...fixed, ...senderMac, ...sender, 0, 0, 0, 0, 0, 0, 10, 9, 0, 1];
  return frame(0x0806, payload, source);
}
