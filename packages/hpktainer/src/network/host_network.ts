/**
 * What all containers of a host share: the bridge with the gateway address, forwarding, and our
 * chains of the packet filter. It is created with the first container and removed with the last.
 */

import {
  firewallChanges,
  formatCidr,
  formatIpv4,
  hasForeignRules,
  type HostFacts,
  type HostRecord,
  type Link,
  macOf,
  messageOf,
  type NetworkRecord,
  newContainerId,
} from "@hpk/core";
import type { NetworkPlan } from "./pure/network_plan.ts";
import { unmount } from "@hpk/core/ffi";
import {
  applyRules,
  faultPoint,
  ipBatch,
  ipRemoveAll,
  type Ledger,
  listDirectory,
  NAMESPACE_DIRECTORY,
  readBridgePorts,
  readForwarding,
  rememberAutomaticNetwork,
  removeIfEmpty,
  saveRules,
  writeForwarding,
  writeRouteLocalnet,
} from "@hpk/core/os";
import { recordRepair } from "../shared/events.ts";
import { withAddress } from "./chains.ts";
import { stopNames } from "../names/host_names.ts";

/** What a container needs of the shared part besides bridge and forwarding. */
export interface SharedNeeds {
  /** Whether it has rules of its own in the packet filter. */
  readonly ownRules: boolean;
  /** Whether it uses our name server. */
  readonly nameServer: boolean;
  /** How long the shared part stays after the last container, in seconds. */
  readonly linger: number;
  /** Whether hpktainer chose its subnet. */
  readonly isAutomatic: boolean;
}

/**
 * Creates the bridge and turns forwarding on as planned, or repairs them if something else changed
 * them. Call it under the ledger's lock.
 *
 * @param facts The host's present links.
 * @param needs What the container needs of the shared part.
 * @return Whether the chains of the packet filter are expected to be unchanged.
 */
export async function ensureBridge(
  ledger: Ledger,
  plan: NetworkPlan,
  facts: HostFacts,
  needs: SharedNeeds,
): Promise<boolean> {
  const bridge = facts.links.find((link) => link.name === plan.bridge);
  const commands = bridgeCommands(plan, bridge);
  const recorded = ledger.readHost();
  const known = withNetwork(recorded ?? recordBefore(plan, bridge), plan, needs);
  const host = bridge !== undefined && hasGateway(plan, bridge)
    ? known
    : withAddress(known, gatewayAddress(plan));
  const isChanging = recorded === undefined || recorded.generation === null || commands.length > 0;
  if (isChanging) ledger.writeHost({ ...host, generation: null });
  else if (host !== recorded) ledger.writeHost(host);
  faultPoint("host.recorded");
  if (host.automatic !== (recorded?.automatic ?? null)) remember(plan);
  // A shared part that was created completely can only have been changed by others since.
  const wasMade = recorded !== undefined && recorded.generation !== null &&
    recorded.networks === host.networks;
  if (wasMade && commands.length > 0) {
    recordRepair("bridge", `${plan.bridge} was ${bridge === undefined ? "removed" : "changed"}`);
  }
  if (wasMade && readForwarding() !== "1") recordRepair("forwarding", "it was turned off");
  if (commands.length > 0) await ipBatch(commands);
  // A new bridge in place of one that someone has removed.
  if (bridge === undefined && host.priorRouteLocalnet !== null) {
    writeRouteLocalnet(plan.bridge, "1");
  }
  faultPoint("host.bridge");
  writeForwarding("1");
  faultPoint("host.forwarding");
  if (isChanging) ledger.writeHost({ ...host, generation: newContainerId() });
  return wasMade;
}

/** Remembers the chosen subnet for when the ledger no longer has it. */
function remember({ subnet }: NetworkPlan): void {
  try {
    rememberAutomaticNetwork(subnet);
  } catch {
    // On a full or read-only disk the container still starts; the next choice may differ.
  }
  faultPoint("host.remembered");
}

/** The record with a plan's network added; the same object if nothing changes. */
function withNetwork(host: HostRecord, plan: NetworkPlan, needs: SharedNeeds): HostRecord {
  const isMeant = ({ bridge, subnet }: NetworkRecord) =>
    bridge === plan.bridge && subnet === formatCidr(plan.subnet);
  const known = host.networks.find(isMeant);
  const ownRules = host.ownRules || needs.ownRules;
  const network: NetworkRecord = {
    bridge: plan.bridge,
    subnet: formatCidr(plan.subnet),
    podNetwork: formatCidr(plan.podNetwork),
    masquerade: plan.masquerade,
    uplink: plan.uplink ?? null,
    // Other containers may use what this one does not need.
    nameServer: needs.nameServer ? formatIpv4(plan.gateway) : known?.nameServer ?? null,
  };
  const isKnown = known !== undefined && JSON.stringify(known) === JSON.stringify(network);
  const { linger } = needs;
  const automatic = needs.isAutomatic ? network.subnet : host.automatic;
  const isSame = isKnown && host.ownRules === ownRules && host.linger === linger &&
    host.automatic === automatic;
  if (isSame) return host;
  const others = host.networks.filter((one) => !isMeant(one));
  const networks = isKnown ? host.networks : [...others, network];
  return { ...host, networks, ownRules, automatic, linger };
}

function recordBefore(plan: NetworkPlan, bridge: Link | undefined): HostRecord {
  return {
    version: 1,
    generation: null,
    bridge: plan.bridge,
    madeBridge: bridge === undefined,
    addedAddresses: [],
    broughtBridgeUp: bridge !== undefined && !bridge.up,
    ipv6: null,
    mendedChecksum: null,
    networks: [],
    ownRules: false,
    priorRouteLocalnet: null,
    priorForwarding: readForwarding(),
    madeNamespaceDirectory: listDirectory(NAMESPACE_DIRECTORY) === undefined,
    automatic: null,
    linger: 0,
    emptySince: null,
  };
}

function gatewayAddress(plan: NetworkPlan): string {
  return `${formatIpv4(plan.gateway)}/${plan.subnet.prefix}`;
}

function hasGateway(plan: NetworkPlan, bridge: Link): boolean {
  return bridge.addresses.some((own) => own.address === plan.gateway);
}

function bridgeCommands(plan: NetworkPlan, bridge: Link | undefined): string[] {
  const { bridge: name, gateway, mtu } = plan;
  const commands: string[] = [];
  if (bridge === undefined) {
    // A bridge without its own MAC address takes one of its ports', and changes it with them.
    commands.push(`link add name ${name} address ${macOf(gateway)} mtu ${mtu} type bridge`);
  }
  if (bridge === undefined || !hasGateway(plan, bridge)) {
    commands.push(`address add ${gatewayAddress(plan)} broadcast + dev ${name}`);
  }
  if (bridge === undefined || !bridge.up) commands.push(`link set dev ${name} up`);
  return commands;
}

/**
 * Removes the shared part, and the ledger with it. Call it under the ledger's lock, when no
 * container is left.
 *
 * @return Error messages; if there are any, the ledger stays.
 */
export async function removeHostNetwork(ledger: Ledger): Promise<string[]> {
  const host = ledger.readHost();
  if (host !== undefined) ledger.writeHost({ ...host, generation: null });
  const errors = host === undefined ? [] : await removeRecorded(ledger, host);
  if (errors.length === 0) ledger.removeAll();
  return errors;
}

async function removeRecorded(ledger: Ledger, host: HostRecord): Promise<string[]> {
  const errors: string[] = [];
  const attempt = async (remove: () => Promise<string[] | void> | void): Promise<void> => {
    try {
      errors.push(...(await remove() ?? []));
    } catch (error) {
      errors.push(messageOf(error));
    }
  };
  await attempt(() => stopNames(ledger, host));
  faultPoint("host.names removed");
  await attempt(() => {
    // Before the chains, which protect the host's loopback from containers.
    if (host.priorRouteLocalnet !== null) writeRouteLocalnet(host.bridge, host.priorRouteLocalnet);
  });
  faultPoint("host.local routes removed");
  await attempt(async () => {
    const rules = await saveRules();
    await applyRules(firewallChanges(rules, []));
    faultPoint("host.firewall removed");
    // Forwarding stays on if someone else may rely on it by now.
    if (!hasForeignRules(rules)) writeForwarding(host.priorForwarding);
    faultPoint("host.forwarding restored");
  });
  const { ipv6 } = host;
  if (ipv6 !== null) {
    await attempt(async () => (await import("./host_network6.ts")).removeNetwork6(ipv6));
  }
  if (host.mendedChecksum !== null) {
    await attempt(async () => (await import("./vxlan_checksum.ts")).restoreChecksum(host));
    faultPoint("host.checksum restored");
  }
  await attempt(() => removeBridge(host));
  faultPoint("host.bridge removed");
  await attempt(() => removeNamespaceDirectory(host));
  faultPoint("host.namespaces removed");
  return errors;
}

async function removeBridge(host: HostRecord): Promise<string[]> {
  const ports = await readBridgePorts(host.bridge);
  if (host.madeBridge && ports.length === 0) return ipRemoveAll([`link delete dev ${host.bridge}`]);
  const errors = await ipRemoveAll([
    ...host.addedAddresses.map((address) => `address delete ${address} dev ${host.bridge}`),
    ...(host.broughtBridgeUp ? [`link set dev ${host.bridge} down`] : []),
  ]);
  // The port is not ours to remove. The ledger stays, so that the bridge is removed after the port.
  if (host.madeBridge) errors.push(`the bridge ${host.bridge} is in use by ${ports.join(", ")}`);
  return errors;
}

/** `ip netns add` makes the directory a mount, in a race several times. */
const MOST_MOUNTS = 8;

function removeNamespaceDirectory(host: HostRecord): void {
  if (!host.madeNamespaceDirectory) return;
  if (listDirectory(NAMESPACE_DIRECTORY)?.length !== 0) return;
  for (let count = 0; count < MOST_MOUNTS; count++) {
    if (!unmount(NAMESPACE_DIRECTORY)) return removeIfEmpty(NAMESPACE_DIRECTORY);
  }
}
