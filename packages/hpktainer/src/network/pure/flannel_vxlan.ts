import type { HostFacts } from "@hpk/core";
import { formatIpv4 } from "@hpk/core";

/** Flannel's VXLAN on this host. */
export interface FlannelVxlan {
  /** Name of the interface, such as "flannel.1". */
  readonly link: string;
  /** Addresses at which the other hosts answer through it. */
  readonly peers: readonly string[];
}

/**
 * Finds Flannel's VXLAN: an interface "flannel.N" with a route to the subnet of each other host,
 * whose flanneld gives its own interface the first address of the subnet (flannel, backend vxlan).
 *
 * @return Undefined on a host without one, as with Flannel's backend host-gw.
 */
export function findFlannelVxlan(facts: HostFacts): FlannelVxlan | undefined {
  const link = facts.links.find(({ kind, name }) => kind === "vxlan" && /^flannel\.\d/.test(name));
  if (link === undefined) return undefined;
  const peers = facts.routes.filter(({ device }) => device === link.name)
    .map(({ destination }) => formatIpv4(destination.network));
  return { link: link.name, peers };
}
