import { HpkError } from "@hpk/core";
import type { FlannelEnv } from "@hpk/core";
import type { Route6 } from "@hpk/core";
import { type Cidr6, covers6, formatCidr6, type Ipv6, overlaps6, parseCidr6 } from "@hpk/core";
import type { Settings } from "@hpk/core";

/** The IPv6 side of a container's network. */
export interface NetworkPlan6 {
  /** This host's subnet. */
  readonly subnet: Cidr6;
  /** The whole pod network: with Flannel that of all hosts, else the subnet. */
  readonly podNetwork: Cidr6;
  readonly gateway: Ipv6;
  /** Whether the bridge already has the gateway's address. */
  readonly hasGateway: boolean;
  /**
   * Interfaces with a default route announced by a router, which they must keep when forwarding is
   * on.
   */
  readonly announced: readonly string[];
}

/** Longest prefix with room for a gateway and a container besides the network's own address. */
const LONGEST_PREFIX = 126;

/** Shortest accepted prefix of a subnet: that of the largest allocations. */
const SHORTEST_PREFIX = 16;

/** Unicast addresses: global ones (RFC 4291, section 2.4), and unique local ones (RFC 4193). */
const UNICAST: readonly Cidr6[] = [parseCidr6("2000::/3")!, parseCidr6("fc00::/7")!];

/**
 * The subnet of the containers' IPv6 addresses, if they get any.
 *
 * @return Undefined without IPv6.
 * @throws {HpkError} When the subnet is not usable for containers.
 */
export function wantedSubnet6(
  settings: Settings,
  flannel: FlannelEnv | undefined,
): Pick<NetworkPlan6, "subnet" | "podNetwork" | "gateway"> | undefined {
  const own = settings.subnet6 === undefined ? undefined : parseCidr6(settings.subnet6);
  const found = own === undefined ? flannel?.ipv6 : undefined;
  const subnet = own ?? found?.subnet;
  if (subnet === undefined) return undefined;
  const fail = (why: string, fix: string): never => {
    const origin = own === undefined ? settings.flannelEnv : "--subnet6";
    throw new HpkError({ what: `cannot use subnet ${formatCidr6(subnet)} (${origin})`, why, fix });
  };
  if (subnet.prefix > LONGEST_PREFIX || subnet.prefix < SHORTEST_PREFIX) {
    fail(
      subnet.prefix > LONGEST_PREFIX
        ? "it has no room for a gateway and a container"
        : "it is too large",
      `use a prefix from /${SHORTEST_PREFIX} to /${LONGEST_PREFIX}`,
    );
  }
  if (!UNICAST.some((range) => covers6(range, subnet))) {
    fail("its addresses are not for hosts", "use a private network, such as fd00:96::/64");
  }
  return {
    subnet,
    podNetwork: found?.network ?? subnet,
    gateway: found?.gateway ?? subnet.network + 1n,
  };
}

/** Smallest MTU of a link that carries IPv6, in bytes (RFC 8200, section 5). */
const LEAST_MTU = 1280;

/** The input of {@linkcode planNetwork6}. */
export interface Plan6Inputs {
  readonly bridge: string;
  /** MTU of the container's interface in bytes. */
  readonly mtu: number;
  /** The host's routes and addresses; undefined on a host without IPv6. */
  readonly routes: readonly Route6[] | undefined;
}

/**
 * Plans the IPv6 side of the network, and checks it against the host.
 *
 * @param wanted From {@linkcode wantedSubnet6}.
 * @throws {HpkError} When it conflicts with the host's networks.
 */
export function planNetwork6(
  wanted: Pick<NetworkPlan6, "subnet" | "podNetwork" | "gateway">,
  { bridge, mtu, routes }: Plan6Inputs,
): NetworkPlan6 {
  const { subnet, podNetwork, gateway } = wanted;
  const fail = (why: string, fix: string): never => {
    throw new HpkError({ what: `cannot use subnet ${formatCidr6(subnet)}`, why, fix });
  };
  if (routes === undefined) {
    return fail(
      "IPv6 is switched off on this host",
      "switch it on (net.ipv6.conf.default.disable_ipv6=0), or do without",
    );
  }
  if (mtu < LEAST_MTU) {
    fail(`an MTU of ${mtu} bytes is too small for IPv6`, `give at least ${LEAST_MTU} with --mtu`);
  }
  for (const { destination, device, type } of routes) {
    if (destination.prefix === 0 || device === bridge || !overlaps6(destination, subnet)) continue;
    const isFlannels = device.startsWith("flannel") && covers6(podNetwork, destination);
    if (isFlannels) continue;
    fail(
      type === "local"
        ? `it holds the address ${formatCidr6(destination).replace("/128", "")} of ${device}`
        : `it overlaps the host's route to ${formatCidr6(destination)} by ${device}`,
      "choose a subnet that nothing on this host uses, with --subnet6",
    );
  }
  return {
    ...wanted,
    hasGateway: routes.some(({ destination, device, type }) =>
      type === "local" && device === bridge && destination.network === gateway
    ),
    announced: routes.filter(({ destination, protocol }) =>
      destination.prefix === 0 && protocol === "ra"
    ).map(({ device }) => device),
  };
}
