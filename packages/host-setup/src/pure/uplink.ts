/** Which interface leads out of the host: as the kernel decides it, and never one of containers. */

import { HpkError } from "@hpk/core";
import type { HostLink, HostRoute } from "./host_network.ts";

/** The interface that leads out, and what is to be said of how it was found. */
export interface Uplink {
  /** undefined on a host that nothing leads out of over IPv4. */
  readonly name: string | undefined;
  /** MTU of the way out in bytes: the interface's, or less where the route says so. */
  readonly mtu: number | undefined;
  readonly notes: readonly string[];
}

/** Kinds of links that lead to containers or machines on this host, not out of it. */
const INSIDE_KINDS: ReadonlySet<string> = new Set(["bridge", "vxlan", "dummy", "ifb", "nlmon"]);

/** Names that container engines and virtual machine managers give to links of theirs. */
const INSIDE_NAMES =
  /^(veth|docker|br-|cni|cali|flannel|cilium|lxc|lxdbr|virbr|vnet|podman|nerdctl|hpk|sbr)/;

/**
 * Finds the uplink.
 *
 * @param asked The interface that the settings name; undefined to go by the routes.
 * @param ownBridges Bridges of ours, which are refused even where they are asked for.
 * @param hasIpv6 Whether the host has a default route for IPv6.
 * @throws {HpkError} When the one that is asked for does not exist, or is ours.
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
    `the default route by ${inside.join(", ")} is not taken: that is a link of containers or ` +
    `virtual machines; where it does lead out, name it with --uplink ${inside[0]}`,
  ];
  if (name === undefined) {
    const why = hasIpv6
      ? "an IPv6 default route only, and containers have IPv4"
      : "no default route";
    return {
      name,
      mtu: undefined,
      notes: [...notes, `the host has ${why}: containers reach this host and each other only`],
    };
  }
  if (others.length > 0) {
    notes.push(
      `there is more than one default route: ${name} is taken, which the kernel prefers to ` +
        `${others.join(", ")}; --uplink names another`,
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
    fail("it is the bridge of our containers", "name the interface that leads out of the host");
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
