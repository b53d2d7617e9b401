import { HpkError } from "@hpk/core";
import type { FlannelEnv } from "@hpk/core";
import {
  defaultUplink,
  describeLinkAddress,
  type HostFacts,
  type Link,
  type Route,
} from "@hpk/core";
import type { Route6 } from "@hpk/core";
import {
  broadcastOf,
  type Cidr,
  covers,
  formatCidr,
  formatIpv4,
  type InterfaceAddress,
  type Ipv4,
  overlaps,
  parseCidr,
  parseIpv4,
} from "@hpk/core";
import type { ContainerRecord } from "@hpk/core";
import { type NetworkPlan6, planNetwork6, wantedSubnet6 } from "./network_plan6.ts";
import type { Settings, WantedNetwork } from "@hpk/core";

/** The network for a container, planned before anything is changed. */
export interface NetworkPlan {
  readonly mode: "flannel" | "static";
  /** Name of the bridge that carries the gateway address. */
  readonly bridge: string;
  /** This host's subnet. */
  readonly subnet: Cidr;
  /** The whole pod network: with Flannel that of all hosts, else the subnet. */
  readonly podNetwork: Cidr;
  readonly gateway: Ipv4;
  /** MTU of the container's interface in bytes. */
  readonly mtu: number;
  /** Whether we masquerade traffic that leaves the pod network; false if flanneld does. */
  readonly masquerade: boolean;
  /** The interface to masquerade on; undefined means every interface but the bridge. */
  readonly uplink: string | undefined;
  /** The requested address; undefined means any free one. */
  readonly address: Ipv4 | undefined;
  /** The IPv6 side; undefined for none. */
  readonly ipv6: NetworkPlan6 | undefined;
}

/** The input of a plan. */
export interface PlanInputs {
  readonly settings: Settings;
  /** The requested address, as text. */
  readonly ip: string | undefined;
  /** Flannel's subnet file; undefined if it does not exist or is not wanted. */
  readonly flannel: FlannelEnv | undefined;
  readonly facts: HostFacts;
  /** The host's IPv6 routes and addresses; undefined if it has no IPv6, or IPv6 is not wanted. */
  readonly routes6: readonly Route6[] | undefined;
  /** Whether hpktainer chose the subnet, so that it can choose another once nothing uses it. */
  readonly isAutomatic: boolean;
  /** Returns the containers on the bridge. */
  readonly onBridge: () => readonly Pick<ContainerRecord, "mode" | "subnet" | "gateway">[];
}

/** Apptainer's own bridge network (10_bridge... 00_bridge.conflist in its network directory). */
export const APPTAINER_BRIDGE_SUBNET: Cidr = parseCidr("10.22.0.0/16")!;

/** Longest prefix with room for a gateway and a container besides network and broadcast. */
const LONGEST_PREFIX = 30;

/** Shortest accepted prefix of a subnet: a class A network. */
const SHORTEST_PREFIX = 8;

/** Multicast and reserved addresses begin here (RFC 5771, RFC 1112 section 4). */
const FIRST_MULTICAST: Ipv4 = parseIpv4("224.0.0.0")!;

/** Addresses that never leave a host (RFC 1122, section 3.2.1.3). */
const LOOPBACK: Cidr = parseCidr("127.0.0.0/8")!;

/** Default MTU without an uplink: that of Ethernet, in bytes (RFC 894). */
const ETHERNET_MTU = 1500;

/** Bytes that VXLAN over IPv4 adds to a packet (RFC 7348), and the additional bytes over IPv6. */
const VXLAN_OVERHEAD = 50;
const IPV6_EXTRA = 20;

/**
 * The network mode of the settings: a subnet implies a static network, and a wait implies Flannel.
 */
export function wantedMode({ network, subnet, wait }: Settings): WantedNetwork {
  if (network !== "auto") return network;
  if (subnet !== undefined) return "static";
  return wait > 0 ? "flannel" : "auto";
}

/**
 * Whether a route is to a specific network, and not a default route: a VPN may replace that by two
 * routes, one for each half of all addresses.
 */
export function isNetwork({ destination }: Route): boolean {
  return destination.prefix > 1;
}

/**
 * Plans the network and checks it against the host, so that a conflict is found before anything is
 * changed.
 *
 * @throws {HpkError} When there is no subnet, or it conflicts with the host's networks.
 */
export function planNetwork(inputs: PlanInputs): NetworkPlan {
  const { settings, facts } = inputs;
  const mode = wantedMode(settings) === "static" ? "static" : "flannel";
  const flannel = mode === "flannel" ? inputs.flannel : undefined;
  const subnet = flannel?.subnet ?? staticSubnet(settings);
  checkSize(subnet, flannel === undefined ? "--subnet" : settings.flannelEnv);
  const gateway = flannel?.gateway ?? subnet.network + 1;
  const podNetwork = flannel?.network ?? subnet;
  const uplink = settings.uplink ?? defaultUplink(facts, settings.bridge);
  const uplinkLink = facts.links.find((link) => link.name === uplink);
  if (settings.uplink !== undefined && uplinkLink === undefined) {
    throw new HpkError({
      what: `cannot use the uplink ${settings.uplink}`,
      why: "no interface has that name",
      fix: "see 'ip link' for the names",
    });
  }
  checkBridge(settings.bridge, subnet, gateway, { ...inputs, flannel });
  checkConflicts(settings.bridge, subnet, podNetwork, inputs);
  checkUnicast(subnet);
  const wanted6 = wantedSubnet6(settings, flannel);
  const mtu = settings.mtu ?? flannelMtu({ ...inputs, flannel }, uplinkLink) ?? uplinkLink?.mtu ??
    ETHERNET_MTU;
  return {
    mode,
    bridge: settings.bridge,
    subnet,
    podNetwork,
    gateway,
    mtu,
    masquerade: flannel === undefined || !flannel.ipMasq,
    uplink: settings.uplink,
    address: inputs.ip === undefined ? undefined : checkAddress(inputs.ip, subnet, gateway),
    ipv6: wanted6 &&
      planNetwork6(wanted6, { bridge: settings.bridge, mtu, routes: inputs.routes6 }),
  };
}

/**
 * Flannel's MTU; 20 bytes less if packets also travel in a VXLAN over IPv6, for whose longer header
 * flanneld leaves no room (backend vxlan: 50 bytes for both), so that each would be fragmented.
 */
function flannelMtu(
  { flannel, routes6 }: PlanInputs,
  uplink: Link | undefined,
): number | undefined {
  if (flannel === undefined) return undefined;
  const isOverIpv6 = routes6?.some(({ device }) => device.startsWith("flannel-v6")) ?? false;
  const isShort = flannel.mtu + VXLAN_OVERHEAD === uplink?.mtu;
  return isOverIpv6 && isShort ? flannel.mtu - IPV6_EXTRA : flannel.mtu;
}

function staticSubnet(settings: Settings): Cidr {
  const subnet = settings.subnet === undefined ? undefined : parseCidr(settings.subnet);
  if (subnet === undefined) {
    throw new HpkError({
      what: "cannot give the container an address",
      why: "the network is static and no subnet is set",
      fix: "pass --subnet CIDR, or set 'subnet' in /etc/hpktainer/config.ini",
    });
  }
  return subnet;
}

function checkSize(subnet: Cidr, origin: string): void {
  if (subnet.prefix > LONGEST_PREFIX || subnet.prefix < SHORTEST_PREFIX) {
    throw new HpkError({
      what: `cannot use subnet ${formatCidr(subnet)} (${origin})`,
      why: subnet.prefix > LONGEST_PREFIX
        ? "it has no room for a gateway and a container"
        : "it is too large",
      fix: `use a prefix from /${SHORTEST_PREFIX} to /${LONGEST_PREFIX}`,
    });
  }
}

function checkUnicast(subnet: Cidr): void {
  if (subnet.network < FIRST_MULTICAST && !overlaps(subnet, LOOPBACK) && subnet.network !== 0) {
    return;
  }
  throw new HpkError({
    what: `cannot use subnet ${formatCidr(subnet)}`,
    why: "its addresses are not for hosts",
    fix: "use a private network, such as 10.96.0.0/24",
  });
}

function checkBridge(bridge: string, subnet: Cidr, gateway: Ipv4, inputs: PlanInputs): void {
  const link = inputs.facts.links.find((candidate) => candidate.name === bridge);
  if (link === undefined) return;
  const fail = (why: string, fix: string): never => {
    throw new HpkError({ what: `cannot use the bridge ${bridge}`, why, fix });
  };
  if (link.kind !== "bridge") {
    fail(
      `an interface of that name is ${link.kind === undefined ? "hardware" : `a ${link.kind}`}`,
      "choose another name with 'bridge' in /etc/hpktainer/config.ini or HPK_BRIDGE",
    );
  }
  const other = link.addresses.find((own) =>
    (own.address !== gateway || own.cidr.prefix !== subnet.prefix) &&
    !isEarlierSubnet(own, subnet, inputs)
  );
  if (other !== undefined) {
    const wanted = `${formatIpv4(gateway)}/${subnet.prefix}`;
    fail(
      `it has the address ${
        formatIpv4(other.address)
      }/${other.cidr.prefix} and ${wanted} is wanted`,
      inputs.onBridge().length > 0
        ? "stop the containers on it first (hpktainer ps), or use their subnet"
        : "use its subnet, or choose another name with HPK_BRIDGE",
    );
  }
}

/**
 * Whether an address of the bridge is the gateway of containers from before Flannel assigned this
 * host another subnet: they keep theirs, and both share the bridge.
 */
function isEarlierSubnet(own: InterfaceAddress, subnet: Cidr, inputs: PlanInputs): boolean {
  if (inputs.flannel === undefined || overlaps(own.cidr, subnet)) return false;
  return inputs.onBridge().some((container) =>
    container.mode === "flannel" && container.gateway === formatIpv4(own.address) &&
    container.subnet === formatCidr(own.cidr)
  );
}

function checkConflicts(bridge: string, subnet: Cidr, podNetwork: Cidr, inputs: PlanInputs): void {
  const fail = (why: string): never => {
    throw new HpkError({
      what: `cannot use subnet ${formatCidr(subnet)}`,
      why,
      fix: inputs.isAutomatic
        ? "stop the containers on it (hpktainer ps), and the next start chooses another"
        : "choose a subnet that nothing on this host uses, with --subnet",
    });
  };
  if (overlaps(subnet, APPTAINER_BRIDGE_SUBNET)) {
    fail(`it overlaps Apptainer's own bridge network ${formatCidr(APPTAINER_BRIDGE_SUBNET)}`);
  }
  const isFlannel = (device: string | undefined) =>
    inputs.flannel !== undefined && device !== undefined && device.startsWith("flannel");
  for (const link of inputs.facts.links) {
    if (link.name === bridge || isFlannel(link.name)) continue;
    const address = link.addresses.find((own) => overlaps(own.cidr, subnet));
    if (address !== undefined) fail(`it overlaps ${describeLinkAddress(link, address)}`);
  }
  for (const route of inputs.facts.routes) {
    if (!isNetwork(route) || route.device === bridge) continue;
    if (!overlaps(route.destination, subnet)) continue;
    if (!(isFlannel(route.device) && covers(podNetwork, route.destination))) {
      fail(
        `it overlaps the host's route to ${formatCidr(route.destination)} by ${
          route.device ?? "no device"
        }`,
      );
    }
  }
}

function checkAddress(text: string, subnet: Cidr, gateway: Ipv4): Ipv4 {
  const fail = (why: string): never => {
    throw new HpkError({
      what: `cannot give the container the address ${text}`,
      why,
      fix: `choose a free one in ${formatCidr(subnet)}, or leave --ip out`,
    });
  };
  const address = parseIpv4(text) ?? fail("it is not an IPv4 address");
  if (address < subnet.network || address > broadcastOf(subnet)) {
    fail(`it lies outside the subnet ${formatCidr(subnet)}`);
  }
  if (address === gateway) fail("it is the gateway's address");
  if (address === subnet.network) fail("it is the network address");
  if (address === broadcastOf(subnet)) fail("it is the broadcast address");
  return address;
}
