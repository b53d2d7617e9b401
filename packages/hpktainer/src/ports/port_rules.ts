/**
 * Published ports on the host: who has them, and how they are opened and closed. Loaded only for
 * containers that have ports or other rules of their own in the packet filter.
 */

import { getAvailablePort } from "@std/net";
import { assignPorts, type PortClaim } from "./pure/port_claims.ts";
import {
  type ContainerRecord,
  formatIpv4,
  formatPublish,
  type HostFacts,
  hostLinkName,
  HpkError,
  isLoopback,
  PORT_PROTOCOLS,
  type PublishedPort,
} from "@hpk/core";
import { forwardedPorts } from "./pure/foreign_ports.ts";
import {
  faultPoint,
  ipBatch,
  type Ledger,
  readRouteLocalnet,
  saveRules,
  writeRouteLocalnet,
} from "@hpk/core/os";
import { forgetFlows } from "./conntrack.ts";
import { ownerOfSocket, readListeners, readPortRange } from "./sockets.ts";
import { applyFirewall } from "../network/chains.ts";

/** What is inspected before ports are assigned. */
export interface PortSurvey {
  readonly facts: HostFacts;
  /** The packet filter, as iptables-save(8) prints it. */
  readonly rules: string;
  /** The host's IPv6 addresses; undefined if the container has no IPv6 address. */
  readonly addresses6: readonly string[] | undefined;
  /** The gateway address. */
  readonly gateway: string;
}

/**
 * Assigns free ports to requests. Call it under the ledger's lock; the ports are taken as soon as
 * they are in the ledger.
 *
 * @throws {HpkError} When a port is taken, naming its owner, or the host lacks the address.
 */
export function claimPorts(
  ledger: Ledger,
  requests: readonly PublishedPort[],
  { facts, rules, addresses6, gateway }: PortSurvey,
): PublishedPort[] {
  const own = facts.links.flatMap(({ addresses }) =>
    addresses.map(({ address }) => formatIpv4(address))
  );
  const isOwn = (address: string) => own.includes(address) || isLoopback(address);
  for (const request of requests) {
    if (request.hostAddress?.includes(":")) checkAddress6(request, addresses6);
    else checkAddress(request, isOwn);
  }
  return assignPorts(
    requests,
    [
      ...claimsOfNameServer(gateway),
      ...claimsOfContainers(ledger),
      ...claimsOfRules(rules, isOwn),
      ...claimsOfProcesses(requests),
    ],
    readPortRange(),
    getAvailablePort,
  );
}

function checkAddress(request: PublishedPort, isOwn: (address: string) => boolean): void {
  const { hostAddress } = request;
  if (hostAddress === null || hostAddress === "0.0.0.0") return;
  if (!isOwn(hostAddress)) throw unusable(request, noInterface(hostAddress));
}

function checkAddress6(
  request: PublishedPort,
  addresses: readonly string[] | undefined,
): void {
  const hostAddress = request.hostAddress!;
  if (addresses === undefined) throw unusable(request, "the container has no IPv6 address");
  if (hostAddress === "::1") {
    throw unusable(request, "the kernel does not forward from the IPv6 loopback");
  }
  if (hostAddress !== "::" && !addresses.includes(hostAddress)) {
    throw unusable(request, noInterface(hostAddress));
  }
}

function noInterface(address: string): string {
  return `no interface of the host has the address ${address}`;
}

function unusable(request: PublishedPort, why: string): HpkError {
  return new HpkError({
    what: `cannot publish ${formatPublish(request)}`,
    why,
    fix: "omit the address to use all of them, or see 'ip address'",
  });
}

/** Our name server's port, even before it starts: a rule for the port would cut containers off. */
function claimsOfNameServer(gateway: string): PortClaim[] {
  return PORT_PROTOCOLS.map((protocol) => ({
    protocol,
    hostAddress: gateway,
    hostPort: NAME_SERVER_PORT,
    count: 1,
    owner: () => `${gateway}:${NAME_SERVER_PORT} is reserved for the containers' name server`,
  }));
}

/** Port of name servers (RFC 1035, section 4.2). */
const NAME_SERVER_PORT = 53;

function claimsOfContainers(ledger: Ledger): PortClaim[] {
  return ledger.list().flatMap(({ name, ports }) =>
    ports.map((port) => ({ ...port, owner: () => `container '${name}' has it` }))
  );
}

function claimsOfRules(rules: string, isOwn: (address: string) => boolean): PortClaim[] {
  return forwardedPorts(rules)
    .filter(({ hostAddress }) => hostAddress === null || isOwn(hostAddress))
    .map((port) => ({
      ...port,
      owner: () =>
        `a rule of another program, in chain ${port.chain} of the packet filter, forwards it`,
    }));
}

function claimsOfProcesses(requests: readonly PublishedPort[]): PortClaim[] {
  return [...new Set(requests.map(({ protocol }) => protocol))].flatMap(readListeners).map((
    { protocol, address, port, inode },
  ) => ({
    protocol,
    hostAddress: address,
    hostPort: port,
    count: 1,
    owner: () => `${ownerOfSocket(inode) ?? "a process"} listens on ${address ?? "*"}:${port}`,
  }));
}

/**
 * Writes a container's record and updates the packet filter: from then on its ports are forwarded
 * to it, and ports that it had before no longer are.
 *
 * @param changed Ports that are new or gone.
 */
export async function writeWithRules(
  ledger: Ledger,
  record: ContainerRecord,
  changed: readonly PublishedPort[],
): Promise<void> {
  ledger.write(record);
  faultPoint("ports.recorded");
  await setPortFlags(record);
  if (record.ports.some(isReachedByLoopback)) openLocalRoutes(ledger, record.bridge);
  await applyFirewall(ledger, await saveRules());
  faultPoint("ports.firewall");
  // Only once the chains keep containers from the host's loopback.
  if (ledger.readHost()?.priorRouteLocalnet !== null) writeRouteLocalnet(record.bridge, "1");
  faultPoint("ports.local routes");
  await forgetFlows(changed);
  faultPoint("ports.done");
}

/**
 * Sets the bridge flags of a container's link: isolated; and hairpin, so that a frame may go back
 * to it. A container that connects to its own published port needs that where the packet filter
 * sees bridged frames (net.bridge.bridge-nf-call-iptables, which Docker and Kubernetes turn on).
 */
async function setPortFlags({ id, ports, policy }: ContainerRecord): Promise<void> {
  const flags = [
    ...(policy.isolated ? ["isolated on"] : []),
    ...(ports.length > 0 ? ["hairpin on"] : []),
  ];
  if (flags.length === 0) return;
  await ipBatch([`link set dev ${hostLinkName(id)} type bridge_slave ${flags.join(" ")}`]);
  faultPoint("ports.link");
}

/** Notes that a bridge is about to carry the host's loopback addresses. */
function openLocalRoutes(ledger: Ledger, bridge: string): void {
  const host = ledger.readHost();
  if (host === undefined || host.priorRouteLocalnet !== null) return;
  const prior = readRouteLocalnet(bridge);
  // If it was already so before us, we do not restrict it.
  if (prior === "0") ledger.writeHost({ ...host, priorRouteLocalnet: prior });
}

/** Whether a program on the host can reach the port through the loopback. */
function isReachedByLoopback({ hostAddress }: PublishedPort): boolean {
  return hostAddress === null || hostAddress === "0.0.0.0" || hostAddress.startsWith("127.");
}

/** Removes the packet filter rules of containers that are being taken down, if they had any. */
export async function closePorts(
  ledger: Ledger,
  records: readonly ContainerRecord[],
): Promise<void> {
  await ledger.withLock(async () => applyFirewall(ledger, await saveRules()));
  await forgetFlows(records.flatMap(({ ports }) => ports));
}
