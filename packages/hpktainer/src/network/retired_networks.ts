/**
 * Networks whose last container has ended while others run, as when Flannel has assigned the host
 * another subnet. Loaded only if there is more than one.
 */

import {
  type ContainerRecord,
  formatCidr,
  formatCidr6,
  type HostRecord,
  messageOf,
  newContainerId,
  parseCidr,
  parseCidr6,
} from "@hpk/core";
import { faultPoint, ipRemoveAll, type Ledger, saveRules } from "@hpk/core/os";
import { applyFirewall } from "./chains.ts";

/**
 * Removes the gateway addresses and the rules of networks that no container uses any more. Call it
 * under the ledger's lock.
 *
 * @return Error messages.
 */
export async function retireNetworks(
  ledger: Ledger,
  host: HostRecord,
  records: readonly ContainerRecord[],
): Promise<string[]> {
  const inUse = new Set(records.flatMap(({ subnet, subnet6 }) => [subnet, subnet6]));
  const isUsed = ({ subnet }: { readonly subnet: string }) => inUse.has(subnet);
  const networks = host.networks.filter(isUsed);
  const networks6 = host.ipv6?.networks.filter(isUsed) ?? [];
  const isSame = networks.length === host.networks.length &&
    networks6.length === (host.ipv6?.networks.length ?? 0);
  if (isSame) return [];
  const kept = host.addedAddresses.filter((address) => inUse.has(subnetOf(address)));
  const retired = host.addedAddresses.filter((address) => !kept.includes(address));
  ledger.writeHost({ ...host, generation: null });
  const errors = await ipRemoveAll(
    retired.map((address) => `address delete ${address} dev ${host.bridge}`),
  );
  faultPoint("retire.addresses");
  if (errors.length > 0) return errors;
  ledger.writeHost({
    ...host,
    generation: newContainerId(),
    addedAddresses: kept,
    networks,
    automatic: networks.some(({ subnet }) => subnet === host.automatic) ? host.automatic : null,
    ipv6: host.ipv6 && { ...host.ipv6, networks: networks6 },
  });
  faultPoint("retire.recorded");
  try {
    await applyFirewall(ledger, await saveRules());
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

/** The subnet of an interface's address with its prefix. */
function subnetOf(address: string): string {
  return address.includes(":")
    ? formatCidr6(parseCidr6(address)!)
    : formatCidr(parseCidr(address)!);
}
