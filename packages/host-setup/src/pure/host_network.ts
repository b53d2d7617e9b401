/** Links and routes of the host, from `ip -json`. */

import { type InterfaceAddress, parseLinks, parseRoutes, type Route } from "@hpk/core";

/** A network interface. */
export interface HostLink {
  readonly name: string;
  /** Kind of a virtual link, such as "bridge"; undefined for hardware. */
  readonly kind: string | undefined;
  /** The bridge that it is a port of, or another link that it belongs to. */
  readonly master: string | undefined;
  /** Whether it was set promiscuous (IFF_PROMISC, netdevice(7)). */
  readonly promiscuous: boolean;
  /** MTU in bytes. */
  readonly mtu: number;
  /** Its IPv4 addresses. */
  readonly addresses: readonly InterfaceAddress[];
}

/** An IPv4 route of the main table. */
export interface HostRoute extends Route {
  /** Its MTU attribute, in bytes; undefined if it has none. */
  readonly mtu: number | undefined;
}

/**
 * Reads the output of `ip -json -details address show`.
 *
 * @throws {SyntaxError} If it is not JSON.
 */
export function parseHostLinks(json: string): HostLink[] {
  const raw = new Map(objects(json).map((link) => [String(link["ifname"]), link] as const));
  return parseLinks(json).map(({ name, kind, mtu, addresses }) => {
    const { master, flags } = raw.get(name) ?? {};
    return {
      name,
      kind,
      mtu,
      addresses,
      master: typeof master === "string" ? master : undefined,
      promiscuous: Array.isArray(flags) && flags.includes("PROMISC"),
    };
  });
}

/**
 * Reads the output of `ip -json -4 route show`.
 *
 * @throws {SyntaxError} If it is not JSON.
 */
export function parseHostRoutes(json: string): HostRoute[] {
  // One by one, so that each stays with the attributes of its route.
  return objects(json).flatMap((object) => {
    const [route] = parseRoutes(JSON.stringify([object]));
    if (route === undefined) return [];
    const metrics = Array.isArray(object["metrics"]) ? object["metrics"] : [];
    const mtu = metrics.map((metric) => Number((metric as Record<string, unknown>)["mtu"]))
      .find((number) => number > 0);
    return [{ ...route, mtu }];
  });
}

function objects(json: string): Record<string, unknown>[] {
  const value: unknown = JSON.parse(json.trim() === "" ? "[]" : json);
  if (!Array.isArray(value)) return [];
  return value.filter((entry) =>
    typeof entry === "object" && entry !== null && Object.keys(entry).length > 0
  );
}
