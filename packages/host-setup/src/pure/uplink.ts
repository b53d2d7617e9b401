/** Chooses the host's outgoing interface: the kernel's choice, but never one of containers. */

import { HpkError } from "@hpk/core";
import type { HostLink, HostRoute } from "./host_network.ts";

/** The outgoing interface, and notes on how it was found. */
export interface Uplink {
  /** Undefined on a host without an IPv4 uplink. */
  readonly name: string | undefined;
  /** MTU of the path out in bytes: the interface's, or less if the route limits it. */
  readonly mtu: number | undefined;
  readonly notes: readonly string[];
}

/** Kinds of links to containers or machines on this host. */
const INSIDE_KINDS: ReadonlySet<string> = new Set(["bridge", "vxlan", "dummy", "ifb", "nlmon"]);

/** Names that container engines and virtual machine managers give to their links. */
const INSIDE_NAMES =
  /^(veth|docker|br-|cni|cali|flannel|cilium|lxc|lxdbr|virbr|vnet|podman|nerdctl|hpk|sbr)/;

/**
 * Finds the uplink.
 *
 * @param asked The interface in the settings; undefined to use the routes.
 * @param ownBridges Our own bridges, which are rejected even if requested.
 * @param hasIpv6 Whether the host has an IPv6 default route.
 * @throws {HpkError} If the requested one does not exist, or is ours.
 */
export function chooseUplink(
  asked: string | undefined,
  links: readonly HostLink[],
  routes: readonly HostRoute[],
  ownBridges: readonly string[],
  hasIpv6: boolean,
): Uplink {
  const defaults = routes.filter((route) => route.destination.prefix === 0)
    .sort((a, b) => a.metric - b.metric);
  const mtuOf = (name: string): number | undefined => {
    const link = links.find((one) => one.name === name);
    const route = defaults.find((one) => one.device === name);
    return route?.mtu !== undefined && link !== undefined
      ? Math.min(route.mtu, link.mtu)
      : link?.mtu;
  };
  if (asked !== undefined) {
    checkAsked(asked, links, ownBridges);
    return { name: asked, mtu: mtuOf(asked), notes: [] };
  }
  const inside: string[] = [];
  const outside: string[] = [];
  for (const { device } of defaults) {
    if (device === undefined || outside.includes(device) || inside.includes(device)) continue;
    const link = links.find((one) => one.name === device);
    (link === undefined || isInside(link) ? inside : outside).push(device);
  }
  const [name, ...others] = outside;
  const notes = inside.length === 0 ? [] : [
    `the default route via ${inside.join(", ")} is ignored: it is a link of containers or ` +
    `virtual machines; if it is the uplink, set --uplink ${inside[0]}`,
  ];
  if (name === undefined) {
    const why = hasIpv6
      ? "only an IPv6 default route, and containers have IPv4"
      : "no default route";
    return {
      name,
      mtu: undefined,
      notes: [...notes, `the host has ${why}: containers reach only this host and each other`],
    };
  }
  if (others.length > 0) {
    notes.push(
      `there is more than one default route: the kernel prefers ${name} to ` +
        `${others.join(", ")}; choose another with --uplink`,
    );
  }
  return { name, mtu: mtuOf(name), notes };
}

function isInside(link: HostLink): boolean {
  return link.master !== undefined && link.kind === "veth" ||
    link.kind !== undefined && INSIDE_KINDS.has(link.kind) || INSIDE_NAMES.test(link.name);
}

function checkAsked(
  asked: string,
  links: readonly HostLink[],
  ownBridges: readonly string[],
): void {
  const fail = (why: string, fix: string): never => {
    throw new HpkError({ what: `cannot use the uplink ${asked}`, why, fix });
  };
  if (ownBridges.includes(asked)) {
    fail("it is the bridge of our containers", "name the host's outgoing interface");
  }
  if (!links.some((link) => link.name === asked)) {
    const names = links.filter((link) => link.name !== "lo" && !isInside(link))
      .map((link) => link.name);
    fail(
      "no interface has that name",
      names.length === 0 ? "see 'ip link' for the names" : `name one of ${names.join(", ")}`,
    );
  }
}
