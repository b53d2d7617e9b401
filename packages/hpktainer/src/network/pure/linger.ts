/** How long the shared part of a host outlives its last container, and which start can reuse it. */

import { formatCidr, formatCidr6, type HostRecord } from "@hpk/core";
import type { NetworkPlan } from "./network_plan.ts";

/**
 * How much longer the shared part stays without a container, in ms; 0 if it must be removed.
 *
 * @param host Its record.
 * @param uptime Seconds since boot (proc_uptime(5)).
 */
export function lingerLeft(
  { linger, emptySince, generation }: Pick<HostRecord, "linger" | "emptySince" | "generation">,
  uptime: number,
): number {
  // The rest of an interrupted change is of no use. A time in the future is from another boot.
  if (emptySince === null || generation === null || emptySince > uptime) return 0;
  return Math.max(0, Math.ceil((emptySince + linger - uptime) * 1000));
}

/**
 * Whether a plan can reuse a shared part without containers: everything left is the plan's.
 */
export function isOfUse(
  host: Pick<HostRecord, "bridge" | "networks" | "ipv6">,
  plan: Pick<NetworkPlan, "bridge" | "subnet" | "ipv6">,
): boolean {
  const subnet = formatCidr(plan.subnet);
  const subnet6 = plan.ipv6 === undefined ? undefined : formatCidr6(plan.ipv6.subnet);
  return host.bridge === plan.bridge &&
    host.networks.every((network) => network.bridge === plan.bridge && network.subnet === subnet) &&
    (host.ipv6?.networks ?? []).every((network) => network.subnet === subnet6);
}
