import { ETHERNET_HEADER_SIZE } from "./wire_format.ts";

/** A container's addresses; its frames must come from them. */
export interface SourceRules {
  /** Its Ethernet address as two numbers: the upper two bytes and the lower four. */
  readonly macHigh: number;
  readonly macLow: number;
  /** Its IPv4 address; undefined to check Ethernet addresses only. */
  readonly ipv4: number | undefined;
}

const ETHERTYPE_OFFSET = 12;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;

/** RFC 791: a header has at least 20 bytes, and the source stands at 12. */
const IPV4_HEADER_SIZE = 20;
const IPV4_SOURCE = ETHERNET_HEADER_SIZE + 12;

/** RFC 826 for Ethernet and IPv4: 28 bytes; sender's hardware address at 8, protocol address at 14. */
const ARP_SIZE = 28;
const ARP_SENDER_MAC = ETHERNET_HEADER_SIZE + 8;
const ARP_SENDER_IPV4 = ETHERNET_HEADER_SIZE + 14;

/**
 * Reads the addresses that a container may send from.
 *
 * @param mac Such as "0a:58:0a:60:00:02".
 * @param ipv4 As a number; undefined to check Ethernet addresses only.
 * @return Undefined if `mac` is not a unicast Ethernet address.
 */
export function sourceRules(mac: string, ipv4: number | undefined): SourceRules | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) return undefined;
  const hex = mac.replaceAll(":", "");
  const macHigh = parseInt(hex.slice(0, 4), 16);
  // The lowest bit of the first byte marks a group address.
  if ((macHigh & 0x0100) !== 0) return undefined;
  return { macHigh, macLow: parseInt(hex.slice(4), 16), ipv4 };
}

/**
 * Whether a container may send a frame: it must come from its own Ethernet address, and the packet
 * inside from its own IPv4 address. An ARP probe has no sender address yet (RFC 5227). Anything but
 * IPv4, ARP and IPv6 is refused, as another protocol or a VLAN tag would hide a spoofed address.
 *
 * @param offset Where the frame begins.
 * @param length Its length in bytes.
 */
export function isFromSource(
  rules: SourceRules,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  if (length < ETHERNET_HEADER_SIZE || !isMacAt(rules, bytes, offset + 6)) return false;
  const type = bytes[offset + ETHERTYPE_OFFSET]! << 8 | bytes[offset + ETHERTYPE_OFFSET + 1]!;
  if (type === ETHERTYPE_IPV4) {
    return length >= ETHERNET_HEADER_SIZE + IPV4_HEADER_SIZE &&
      (bytes[offset + ETHERNET_HEADER_SIZE]! >> 4) === 4 &&
      (rules.ipv4 === undefined || ipv4At(bytes, offset + IPV4_SOURCE) === rules.ipv4);
  }
  if (type === ETHERTYPE_ARP) {
    if (length < ETHERNET_HEADER_SIZE + ARP_SIZE) return false;
    if (!isMacAt(rules, bytes, offset + ARP_SENDER_MAC)) return false;
    const sender = ipv4At(bytes, offset + ARP_SENDER_IPV4);
    return rules.ipv4 === undefined || sender === rules.ipv4 || sender === 0;
  }
  return type === ETHERTYPE_IPV6;
}

function isMacAt(rules: SourceRules, bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! << 8 | bytes[at + 1]!) === rules.macHigh &&
    ipv4At(bytes, at + 2) === rules.macLow;
}

/** Four bytes as an unsigned number. */
function ipv4At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}
