/** How long the shared part of a host outlives its last container, and for whom it is of use then. */

import { formatCidr, formatCidr6, type HostRecord } from "@hpk/core";
import type { NetworkPlan } from "./network_plan.ts";

/**
 * How much longer the shared part stays without a container, in ms; 0 where it is to go.
 *
 * @param host What is recorded of it.
 * @param uptime Seconds since boot (proc_uptime(5)).
 */
export function lingerLeft(
  { linger, emptySince, generation }: Pick<HostRecord, "linger" | "emptySince" | "generation">,
  uptime: number,
): number {
  // What a change that was cut short has left is of no use. A time to come is that of another boot.
  if (emptySince === null || generation === null || emptySince > uptime) return 0;
  return Math.max(0, Math.ceil((emptySince + linger - uptime) * 1000));
}

/**
 * Whether a plan can use a shared part that no container is on: all that is left there is the plan's.
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
