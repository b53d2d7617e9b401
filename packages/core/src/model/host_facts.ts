import {
  type Cidr,
  formatIpv4,
  type InterfaceAddress,
  parseCidr,
  parseInterfaceAddress,
} from "./ipv4.ts";

/** A network interface of the host, as `ip -json -details address` shows it. */
export interface Link {
  readonly name: string;
  /** MTU in bytes. */
  readonly mtu: number;
  /** Kind of a virtual link, such as "bridge", "veth" or "vxlan"; undefined for hardware. */
  readonly kind: string | undefined;
  /** Whether it is administratively up. */
  readonly up: boolean;
  /** Hardware address, such as "0a:58:0a:60:00:01". */
  readonly mac: string;
  /** Its IPv4 addresses. */
  readonly addresses: readonly InterfaceAddress[];
}

/** A unicast IPv4 route of the main table, as `ip -json route` shows it. */
export interface Route {
  /** Its destination; 0.0.0.0/0 for a default route. */
  readonly destination: Cidr;
  /** The outgoing interface; undefined for a route without one, such as "unreachable". */
  readonly device: string | undefined;
  /** Its metric; the lowest wins. */
  readonly metric: number;
}

/** The facts about the host that a plan is based on. */
export interface HostFacts {
  /** All links that have an IPv4 address, and possibly others. */
  readonly links: readonly Link[];
  readonly routes: readonly Route[];
}

/**
 * Reads the output of `ip -json -details address show`.
 *
 * @throws {SyntaxError} If it is not JSON.
 */
export function parseLinks(json: string): Link[] {
  return parseArray(json).map((link) => ({
    name: String(link["ifname"]),
    mtu: Number(link["mtu"]),
    kind: stringOf(asObject(link["linkinfo"])["info_kind"]),
    up: asArray(link["flags"]).includes("UP"),
    mac: stringOf(link["address"]) ?? "",
    addresses: asArray(link["addr_info"]).map(asObject).flatMap((entry) => {
      if (entry["family"] !== "inet") return [];
      const address = parseInterfaceAddress(`${entry["local"]}/${entry["prefixlen"]}`);
      return address === undefined ? [] : [address];
    }),
  }));
}

/**
 * Reads the output of `ip -json -4 route show`.
 *
 * @throws {SyntaxError} If it is not JSON.
 */
export function parseRoutes(json: string): Route[] {
  return parseArray(json).flatMap((route) => {
    const text = String(route["dst"]);
    const destination = text === "default"
      ? { network: 0, prefix: 0 }
      : parseCidr(text.includes("/") ? text : `${text}/32`);
    if (destination === undefined) return [];
    return [{ destination, device: stringOf(route["dev"]), metric: Number(route["metric"] ?? 0) }];
  });
}

/**
 * The host's outgoing interface: that of the default route with the lowest metric.
 *
 * @return Its name, or undefined on a host without a default route.
 */
export function defaultUplink(facts: HostFacts, exceptDevice: string): string | undefined {
  const routes = facts.routes
    .filter((route) => route.destination.prefix === 0)
    .filter((route) => route.device !== undefined && route.device !== exceptDevice)
    .sort((a, b) => a.metric - b.metric);
  return routes[0]?.device;
}

/** An interface's address as text, for messages: "cni0 (10.244.1.1/24)". */
export function describeLinkAddress(link: Link, address: InterfaceAddress): string {
  return `${link.name} (${formatIpv4(address.address)}/${address.cidr.prefix})`;
}

function parseArray(json: string): Record<string, unknown>[] {
  return asArray(json.trim() === "" ? [] : JSON.parse(json)).map(asObject)
    .filter((entry) => Object.keys(entry).length > 0);
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
