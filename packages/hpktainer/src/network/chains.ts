/** Our chains of the packet filter, and the bridge's addresses in the host's record. */

import {
  type AddressFamily,
  firewallChanges,
  type HostRecord,
  type OwnChain,
  wantedChains,
} from "@hpk/core";
import { applyRules, faultPoint, type Ledger, saveRules } from "@hpk/core/os";
import { recordRepair } from "../shared/events.ts";

/**
 * Creates or repairs our chains as the ledger requires. Call it under the ledger's lock.
 *
 * @param rules The present packet filter.
 * @return Whether anything had to be changed.
 */
export async function applyFirewall(ledger: Ledger, rules: string): Promise<boolean> {
  const changes = firewallChanges(rules, chainsOf(ledger, "ipv4"));
  await applyRules(changes);
  const changed6 = ledger.readHost()?.ipv6
    ? await applyFirewall6(ledger, await saveRules("ipv6"))
    : false;
  return changes !== "" || changed6;
}

/** Records that our chains were repaired. */
export function recordFirewallRepair(): void {
  recordRepair("firewall", "some of our rules were missing or changed");
}

/** The IPv6 side of {@linkcode applyFirewall}. */
export async function applyFirewall6(ledger: Ledger, rules: string): Promise<boolean> {
  const changes = firewallChanges(rules, chainsOf(ledger, "ipv6"));
  await applyRules(changes, "ipv6");
  return changes !== "";
}

/**
 * As {@linkcode applyFirewall}, but without the lock if nothing has to be changed. Call it with a
 * container in the ledger, so that the chains are removed with the last one.
 *
 * @param earlier The packet filter as it was just before.
 * @param wasMade Whether the chains are expected to be unchanged.
 */
export async function ensureFirewall(
  ledger: Ledger,
  earlier: string,
  wasMade: boolean,
): Promise<void> {
  if (firewallChanges(earlier, chainsOf(ledger, "ipv4")) === "") return;
  const changed = await ledger.withLock(async () => applyFirewall(ledger, await saveRules()));
  if (changed && wasMade) recordFirewallRepair();
  faultPoint("host.firewall mended");
}

/**
 * The chains that the ledger requires; containers are read only if one may have rules of its own.
 */
function chainsOf(ledger: Ledger, family: AddressFamily): OwnChain[] {
  const host = ledger.readHost();
  if (host === undefined) return [];
  const containers = !host.ownRules ? [] : ledger.list().flatMap((record) => {
    const address = family === "ipv4" ? record.address : record.address6;
    return address === null || record.phase === "stopping" ? [] : [{ ...record, address }];
  });
  const networks = family === "ipv4" ? host.networks : host.ipv6?.networks ?? [];
  const localRoutes = host.priorRouteLocalnet !== null;
  return wantedChains({ networks, containers, localRoutes }, family);
}

/** The record with an address of the bridge added; the same object if it already has it. */
export function withAddress(host: HostRecord, address: string): HostRecord {
  const { addedAddresses } = host;
  if (addedAddresses.includes(address)) return host;
  return { ...host, addedAddresses: [...addedAddresses, address] };
}
