/**
 * IPv4 addresses and prefixes as numbers. An address is an unsigned 32-bit integer in host order, so
 * that comparing and adding are plain arithmetic.
 */

/** An IPv4 address, 0 to 2^32 - 1. */
export type Ipv4 = number;

/** An IPv4 network: its first address and the length of its prefix in bits (RFC 4632). */
export interface Cidr {
  /** First address of the network; all host bits are zero. */
  readonly network: Ipv4;
  /** Length of the prefix, 0 to 32 bits. */
  readonly prefix: number;
}

/** An address together with the network it lies in, as in "10.1.2.3/24". */
export interface InterfaceAddress {
  /** The address as written. */
  readonly address: Ipv4;
  /** The network that the address lies in. */
  readonly cidr: Cidr;
}

/**
 * Parses a dotted quad. Leading zeros are rejected, since some programs read them as octal
 * (RFC 6943, section 3.1.1).
 *
 * @param text For example "10.1.2.3".
 * @return The address, or undefined if the text is not one.
 */
export function parseIpv4(text: string): Ipv4 | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

/** Formats an address as a dotted quad. */
export function formatIpv4(address: Ipv4): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

/**
 * Parses an address with a prefix length, such as "10.1.2.3/24".
 *
 * @return The address and its network, or undefined if the text is not one.
 */
export function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  const match = /^([0-9.]+)\/(0|[1-9][0-9]?)$/.exec(text);
  if (match === null) return undefined;
  const address = parseIpv4(match[1]!);
  const prefix = Number(match[2]);
  if (address === undefined || prefix > 32) return undefined;
  return { address, cidr: { network: networkOf(address, prefix), prefix } };
}

/**
 * Parses a network, such as "10.1.2.0/24". Host bits that are set are cleared: unlike `ip route`,
 * Flannel's `FLANNEL_SUBNET` (which names the gateway) requires this.
 */
export function parseCidr(text: string): Cidr | undefined {
  return parseInterfaceAddress(text)?.cidr;
}

/** Formats a network as "10.1.2.0/24". */
export function formatCidr(cidr: Cidr): string {
  return `${formatIpv4(cidr.network)}/${cidr.prefix}`;
}

/** First address of the network that an address lies in. */
export function networkOf(address: Ipv4, prefix: number): Ipv4 {
  return address - (address % sizeOf(prefix));
}

/**
 * Number of addresses in a network of this prefix length, including network and broadcast address.
 */
export function sizeOf(prefix: number): number {
  return 2 ** (32 - prefix);
}

/** Last address of a network: its directed broadcast address (RFC 919) if the prefix is at most 30. */
export function broadcastOf(cidr: Cidr): Ipv4 {
  return cidr.network + sizeOf(cidr.prefix) - 1;
}

/** Whether an address lies in a network. */
export function contains(cidr: Cidr, address: Ipv4): boolean {
  return networkOf(address, cidr.prefix) === cidr.network;
}

/** Whether every address of the inner network lies in the outer one. */
export function covers(outer: Cidr, inner: Cidr): boolean {
  return outer.prefix <= inner.prefix && contains(outer, inner.network);
}

/** Whether two networks have an address in common. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return covers(a, b) || covers(b, a);
}

/**
 * The Ethernet address derived from an IPv4 address: a locally administered prefix and the address.
 * An IPv4 address that is allocated again keeps its Ethernet address, so that no neighbour's cache
 * goes stale. CNI plugins use the same prefix, 0a:58 (containernetworking/plugins,
 * pkg/utils/hwaddr).
 */
export function macOf(address: Ipv4): string {
  const hex = address.toString(16).padStart(8, "0");
  return ["0a", "58", ...hex.match(/../g)!].join(":");
}
