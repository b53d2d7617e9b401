/**
 * Published ports: ports of the host that are forwarded to ports of a container, and their
 * notation, `[ip:]hostPort:containerPort[/tcp|udp]`.
 */

import { isIpv6 } from "./ip_text.ts";
import { parseIpv4 } from "./ipv4.ts";

/** Transport protocols that can be published. */
export const PORT_PROTOCOLS = ["tcp", "udp"] as const;

/** A transport protocol that can be published. */
export type PortProtocol = typeof PORT_PROTOCOLS[number];

/** Published ports of a container: one, or a range of consecutive ports. */
export interface PublishedPort {
  /** "tcp" or "udp". */
  readonly protocol: PortProtocol;
  /**
   * The host's address to publish on: null for every address of both families, "0.0.0.0" for every
   * IPv4 and "::" for every IPv6 address.
   */
  readonly hostAddress: string | null;
  /** The first port on the host, 1 to 65535; 0 in a request means any free one. */
  readonly hostPort: number;
  /** The first port in the container, 1 to 65535. */
  readonly containerPort: number;
  /** Number of consecutive ports: 1 for a single port. */
  readonly count: number;
}

/** The expected form, for messages. */
export const PUBLISH_SYNTAX =
  "[IP:]HOSTPORT:PORT[/tcp|udp], where a port may be a range such as 8000-8010, and HOSTPORT 0 is any free one";

/** Highest port number (RFC 9293, RFC 768: 16 bits). */
export const MAX_PORT = 65535;

/**
 * Parses a published port, such as "8080:80", "127.0.0.1:5353:53/udp", "[::1]:8000-8010:8000-8010"
 * or "0:80". The default protocol is TCP; an empty host port means any free one.
 *
 * @return Undefined if the text is not one.
 */
export function parsePublish(text: string): PublishedPort | undefined {
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?([0-9-]*):([0-9-]+)(?:\/([a-z]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, address, host = "", container = "", protocol = "tcp"] = match;
  const hostAddress = address === undefined ? null : parseHostAddress(address);
  const inContainer = parseSpan(container);
  if (hostAddress === undefined || inContainer === undefined || !isProtocol(protocol)) {
    return undefined;
  }
  const isAny = host === "" || host === "0";
  const onHost = isAny ? { first: 0, count: inContainer.count } : parseSpan(host);
  if (onHost === undefined || onHost.count !== inContainer.count) return undefined;
  return {
    protocol,
    hostAddress,
    hostPort: onHost.first,
    containerPort: inContainer.first,
    count: inContainer.count,
  };
}

/**
 * Parses a list of published ports separated by commas; the empty text is the empty list.
 *
 * @return Undefined if one of them is invalid.
 */
export function parsePublishList(text: string): PublishedPort[] | undefined {
  const ports = text.split(",").map((item) => item.trim()).filter((item) => item !== "")
    .map(parsePublish);
  return ports.every((port) => port !== undefined) ? ports : undefined;
}

/**
 * Parses published ports that are named by their host side only, such as "8080", "8000-8010/udp" or
 * "127.0.0.1:8080/tcp"; also the form of {@linkcode parsePublish}, whose container port is ignored.
 *
 * @return The ports on the host, or undefined if the text is invalid.
 */
export function parseHostPorts(
  text: string,
): Pick<PublishedPort, "protocol" | "hostAddress" | "hostPort" | "count"> | undefined {
  const whole = parsePublish(text);
  if (whole !== undefined) return whole.hostPort === 0 ? undefined : whole;
  const match = /^(?:(\[[^\]]*\]|[^:[\]]*):)?([0-9-]+)(?:\/([a-z]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, address, ports = "", protocol = "tcp"] = match;
  const hostAddress = address === undefined ? null : parseHostAddress(address);
  const span = parseSpan(ports);
  if (hostAddress === undefined || span === undefined || !isProtocol(protocol)) return undefined;
  return { protocol, hostAddress, hostPort: span.first, count: span.count };
}

/** Formats a published port in the form that {@linkcode parsePublish} reads. */
export function formatPublish(port: PublishedPort): string {
  const { hostAddress, hostPort, containerPort, count, protocol } = port;
  const address = hostAddress === null ? "" : `${bracketed(hostAddress)}:`;
  return `${address}${formatSpan(hostPort, count)}:${formatSpan(containerPort, count)}/${protocol}`;
}

/** Formats a port, or a range of ports as "8000-8010". */
export function formatSpan(first: number, count: number): string {
  return count === 1 ? String(first) : `${first}-${first + count - 1}`;
}

/** Formats an address before a port: IPv6 in brackets (RFC 3986, section 3.2.2). */
export function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** Whether listening on two addresses would conflict, according to bind(2). */
export function addressesMeet(a: string | null, b: string | null): boolean {
  if (a === null || b === null || a === b) return true;
  const isWild = (address: string) => address === "0.0.0.0" || address === "::";
  return (isWild(a) || isWild(b)) && a.includes(":") === b.includes(":");
}

/** Whether two spans of host ports have a port in common. */
export function portsMeet(
  a: Pick<PublishedPort, "hostPort" | "count">,
  b: Pick<PublishedPort, "hostPort" | "count">,
): boolean {
  return a.hostPort < b.hostPort + b.count && b.hostPort < a.hostPort + a.count;
}

/**
 * Removes host ports from published ones; the rest of a split range stays.
 *
 * @return What stays, and what was removed.
 */
export function withoutPorts(
  ports: readonly PublishedPort[],
  taken: Pick<PublishedPort, "protocol" | "hostAddress" | "hostPort" | "count">,
): { readonly kept: PublishedPort[]; readonly removed: PublishedPort[] } {
  const kept: PublishedPort[] = [];
  const removed: PublishedPort[] = [];
  for (const port of ports) {
    const isMeant = port.protocol === taken.protocol && portsMeet(port, taken) &&
      (taken.hostAddress === null || taken.hostAddress === port.hostAddress);
    if (!isMeant) {
      kept.push(port);
      continue;
    }
    const from = Math.max(port.hostPort, taken.hostPort);
    const to = Math.min(port.hostPort + port.count, taken.hostPort + taken.count);
    removed.push(part(port, from, to));
    if (port.hostPort < from) kept.push(part(port, port.hostPort, from));
    if (to < port.hostPort + port.count) kept.push(part(port, to, port.hostPort + port.count));
  }
  return { kept, removed };
}

/** The part of published ports from one host port up to, but not including, another. */
function part(port: PublishedPort, from: number, to: number): PublishedPort {
  const containerPort = port.containerPort + (from - port.hostPort);
  return { ...port, hostPort: from, containerPort, count: to - from };
}

/** Parses "80" or "8000-8010". */
function parseSpan(text: string): { first: number; count: number } | undefined {
  const match = /^([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  if (first > last || last > MAX_PORT) return undefined;
  return { first, count: last - first + 1 };
}

/** Parses an address before a port; undefined if it is invalid. */
function parseHostAddress(text: string): string | undefined {
  if (!text.startsWith("[")) return parseIpv4(text) === undefined ? undefined : text;
  const inner = text.slice(1, -1);
  if (!isIpv6(inner)) return undefined;
  // The canonical form (RFC 5952), so that addresses can be compared.
  return new URL(`http://[${inner}]/`).hostname.slice(1, -1);
}

function isProtocol(text: string): text is PortProtocol {
  return PORT_PROTOCOLS.some((protocol) => protocol === text);
}
