/**
 * The IPv6 side of what all containers of a host share: the gateway's address on the bridge,
 * forwarding, and our chains of ip6tables. Loaded only if a container has an IPv6 address.
 */

import {
  firewallChanges,
  formatCidr6,
  formatIpv6,
  hasForeignRules,
  type HostRecord6,
  type NetworkRecord,
  type Route6,
} from "@hpk/core";
import type { NetworkPlan } from "./pure/network_plan.ts";
import type { NetworkPlan6 } from "./pure/network_plan6.ts";
import {
  applyRules,
  faultPoint,
  ipBatch,
  type Ledger,
  readAcceptRouters,
  readForwarding6,
  readRoutes6,
  saveRules,
  writeAcceptRouters,
  writeForwarding6,
} from "@hpk/core/os";

import { applyFirewall6, withAddress } from "./chains.ts";

/** The host's present IPv6 state. */
export interface Look6 {
  /** Routes and addresses; undefined on a host without IPv6. */
  readonly routes: Route6[] | undefined;
  /** The packet filter, being read. */
  readonly rules: Promise<string>;
}

/** Reads the host's IPv6 state. */
export async function lookAtHost6(): Promise<Look6> {
  const rules = saveRules("ipv6");
  // Awaited last; a failure before that must not count as unhandled.
  rules.catch(() => {});
  return { routes: await readRoutes6(), rules };
}

/** The gateway's address with its prefix, for ip(8). */
function gatewayAddress6({ gateway, subnet }: NetworkPlan6): string {
  return `${formatIpv6(gateway)}/${subnet.prefix}`;
}

/**
 * Adds the gateway's address to the bridge, turns forwarding on and creates our chains, or repairs
 * them. Call it under the ledger's lock, when the bridge exists and the host is in the ledger.
 *
 * @param rules The present packet filter: nobody else changes our chains.
 */
export async function ensureNetwork6(
  ledger: Ledger,
  plan: NetworkPlan,
  ipv6: NetworkPlan6,
  rules: string,
): Promise<void> {
  const host = ledger.readHost();
  if (host === undefined) throw new Error("the host is not in the ledger");
  const recorded = host.ipv6 ??
    { priorForwarding: readForwarding6(), acceptRouters: [], networks: [] };
  const wanted = withNetwork6(withRouters(recorded, ipv6), plan, ipv6);
  const changed = ipv6.hasGateway ? host : withAddress(host, gatewayAddress6(ipv6));
  if (changed !== host || JSON.stringify(wanted) !== JSON.stringify(host.ipv6)) {
    ledger.writeHost({ ...changed, ipv6: wanted });
  }
  faultPoint("host.ipv6 recorded");
  if (!ipv6.hasGateway) {
    await ipBatch([`address replace ${gatewayAddress6(ipv6)} dev ${plan.bridge} nodad`]);
  }
  faultPoint("host.address6");
  // Before forwarding, which would remove the announced routes.
  for (const device of wanted.acceptRouters) writeAcceptRouters(device, "2");
  writeForwarding6("1");
  faultPoint("host.forwarding6");
  await applyFirewall6(ledger, rules);
  faultPoint("host.firewall6");
}

/** The record with the interfaces that accept router advertisements unless the host forwards. */
function withRouters(recorded: HostRecord6, { announced }: NetworkPlan6): HostRecord6 {
  const added = announced.filter((device) =>
    !recorded.acceptRouters.includes(device) && readAcceptRouters(device) === "1"
  );
  return { ...recorded, acceptRouters: [...recorded.acceptRouters, ...added] };
}

function withNetwork6(
  recorded: HostRecord6,
  { bridge, masquerade, uplink }: NetworkPlan,
  { subnet, podNetwork }: NetworkPlan6,
): HostRecord6 {
  const network: NetworkRecord = {
    bridge,
    subnet: formatCidr6(subnet),
    podNetwork: formatCidr6(podNetwork),
    masquerade,
    uplink: uplink ?? null,
    // The name server answers for both families on the IPv4 gateway.
    nameServer: null,
  };
  const isSame = (one: NetworkRecord) =>
    one.bridge === network.bridge && one.subnet === network.subnet;
  const networks = recorded.networks.some(isSame)
    ? recorded.networks.map((one) => isSame(one) ? network : one)
    : [...recorded.networks, network];
  return { ...recorded, networks };
}

/** Removes our chains, and restores forwarding unless rules of others may rely on it by now. */
export async function removeNetwork6(record: HostRecord6): Promise<void> {
  const rules = await saveRules("ipv6");
  await applyRules(firewallChanges(rules, []), "ipv6");
  faultPoint("host.firewall6 removed");
  if (!hasForeignRules(rules)) {
    writeForwarding6(record.priorForwarding);
    for (const device of record.acceptRouters) writeAcceptRouters(device, "1");
  }
  faultPoint("host.forwarding6 restored");
}
