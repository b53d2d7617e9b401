/**
 * IPv6 addresses and prefixes as numbers: an address is an unsigned 128-bit integer, as a bigint, so
 * that comparing and adding are plain arithmetic.
 */

import { isIpv6 } from "./ip_text.ts";

/** An IPv6 address, 0 to 2^128 - 1. */
export type Ipv6 = bigint;

/** An IPv6 network: its first address and the length of its prefix in bits (RFC 4291, section 2.3). */
export interface Cidr6 {
  /** First address of the network; all host bits are zero. */
  readonly network: Ipv6;
  /** Length of the prefix, 0 to 128 bits. */
  readonly prefix: number;
}

/** An address together with the network it lies in, as in "fd00:96::2/64". */
export interface InterfaceAddress6 {
  /** The address as written. */
  readonly address: Ipv6;
  /** The network that the address lies in. */
  readonly cidr: Cidr6;
}

/** An address has eight groups of 16 bits (RFC 4291, section 2.2). */
const GROUPS = 8;

/**
 * Parses an address in any of the forms of RFC 4291, section 2.2.
 *
 * @param text For example "fd00:96::2", without brackets and without a zone.
 * @return The address, or undefined if the text is not one.
 */
export function parseIpv6(text: string): Ipv6 | undefined {
  if (!isIpv6(text)) return undefined;
  // The canonical form (RFC 5952), in which no part is in dotted decimals.
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [before = "", behind] = canonical.split("::");
  const groupsOf = (part: string) => part === "" ? [] : part.split(":");
  const head = groupsOf(before);
  const tail = groupsOf(behind ?? "");
  const zeros: string[] = Array(GROUPS - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail]
    .reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** Formats an address in the form of RFC 5952. */
export function formatIpv6(address: Ipv6): string {
  const groups = Array.from(
    { length: GROUPS },
    (_, index) => ((address >> BigInt(16 * (GROUPS - 1 - index))) & 0xffffn).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/**
 * Parses an address with a prefix length, such as "fd00:96::2/64".
 *
 * @return The address and its network, or undefined if the text is not one.
 */
export function parseInterfaceAddress6(text: string): InterfaceAddress6 | undefined {
  const match = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text);
  const address = parseIpv6(match?.[1] ?? "");
  const prefix = Number(match?.[2]);
  if (address === undefined || prefix > 128) return undefined;
  return { address, cidr: { network: networkOf6(address, prefix), prefix } };
}

/** Parses a network, such as "fd00:96::/64"; host bits that are set are cleared. */
export function parseCidr6(text: string): Cidr6 | undefined {
  return parseInterfaceAddress6(text)?.cidr;
}

/** Formats a network as "fd00:96::/64". */
export function formatCidr6(cidr: Cidr6): string {
  return `${formatIpv6(cidr.network)}/${cidr.prefix}`;
}

/** First address of the network that an address lies in. */
function networkOf6(address: Ipv6, prefix: number): Ipv6 {
  const hostBits = BigInt(128 - prefix);
  return (address >> hostBits) << hostBits;
}

/** Whether every address of the inner network lies in the outer one. */
export function covers6(outer: Cidr6, inner: Cidr6): boolean {
  return outer.prefix <= inner.prefix && networkOf6(inner.network, outer.prefix) === outer.network;
}

/** Whether two networks have an address in common. */
export function overlaps6(a: Cidr6, b: Cidr6): boolean {
  return covers6(a, b) || covers6(b, a);
}
