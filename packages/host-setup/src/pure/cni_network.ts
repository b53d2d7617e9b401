/**
 * The network that Apptainer's own `--net --network NAME` gives containers: its CNI configuration, and
 * the names and subnet in it, which nothing else on the host may use.
 */

import { type Cidr, formatCidr, formatIpv4, HpkError, macOf, overlaps, parseCidr } from "@hpk/core";
import type { HostLink, HostRoute } from "./host_network.ts";

/** First line of every file of ours, as a comment or, in JSON, as a key. */
export const MARKER = "Made by host-setup; 'host-setup --undo' removes it. Settings: host.ini";

/** The planned network. */
export interface CniNetwork {
  /** Its name for Apptainer's --network. */
  readonly name: string;
  readonly bridge: string;
  readonly subnet: Cidr;
  /** MTU in bytes. */
  readonly mtu: number;
  /** Whether bridged frames pass iptables on this host (br_netfilter). */
  readonly bridgeNetfilter: boolean;
}

/** Names and subnets that another CNI configuration uses. */
export interface CniUse {
  readonly path: string;
  readonly name: string | undefined;
  readonly bridges: readonly string[];
  readonly subnets: readonly Cidr[];
  /** Whether the file is ours. */
  readonly ours: boolean;
}

/**
 * Candidates for the subnet; the first free one is chosen. They avoid the defaults of Apptainer
 * (10.22), Docker (172.17), Podman (10.88), Kubernetes (10.96), K3s (10.42) and Flannel (10.244),
 * and 172.31, which contains Amazon's default networks.
 */
const CANDIDATES: readonly Cidr[] = [72, 73, 74, 75, 76, 77, 78, 79].map((second) =>
  parseCidr(`10.${second}.0.0/16`)!
).concat(parseCidr("172.30.0.0/16")!, parseCidr("192.168.240.0/20")!);

/** Apptainer's own default network, even if its file is missing. */
const APPTAINER_SUBNET: Cidr = parseCidr("10.22.0.0/16")!;

/** Files in Apptainer's network directory. */
export function readCniUse(path: string, text: string): CniUse {
  const bridges: string[] = [];
  const subnets: Cidr[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(collect);
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "bridge" && typeof inner === "string") bridges.push(inner);
      const cidr = key === "subnet" && typeof inner === "string" ? parseCidr(inner) : undefined;
      if (cidr !== undefined) subnets.push(cidr);
      collect(inner);
    }
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Apptainer ignores a file that is not JSON as well.
    return { path, name: undefined, bridges, subnets, ours: false };
  }
  collect(parsed);
  const { name, comment } = (parsed ?? {}) as Record<string, unknown>;
  return {
    path,
    name: typeof name === "string" ? name : undefined,
    bridges,
    subnets,
    ours: comment === MARKER,
  };
}

/** Networks that a subnet must not overlap. */
export interface Occupied {
  readonly links: readonly HostLink[];
  readonly routes: readonly HostRoute[];
  /** Other CNI configurations. */
  readonly uses: readonly CniUse[];
  /** Other container networks that are configured here, with their owners. */
  readonly networks: readonly { readonly cidr: Cidr; readonly owner: string }[];
}

/**
 * The subnet to use: the requested one, or the first free candidate.
 *
 * @throws {HpkError} If the requested one is in use, or none is free.
 */
export function chooseSubnet(asked: string | undefined, bridge: string, occupied: Occupied): Cidr {
  if (asked !== undefined) {
    const subnet = parseCidr(asked)!;
    if (subnet.prefix < 8 || subnet.prefix > 30) {
      throw new HpkError({
        what: `cannot use subnet ${asked}`,
        why: subnet.prefix > 30 ? "it is too small for containers" : "it is too large",
        fix: "use a prefix from /8 to /30",
      });
    }
    const owner = ownerOf(subnet, bridge, occupied);
    if (owner === undefined) return subnet;
    throw new HpkError({
      what: `cannot use subnet ${asked}`,
      why: `it overlaps ${owner}`,
      fix: "choose another with --subnet CIDR, or use --subnet auto for a free one",
    });
  }
  const free = CANDIDATES.find((subnet) => ownerOf(subnet, bridge, occupied) === undefined);
  if (free !== undefined) return free;
  throw new HpkError({
    what: "cannot choose a subnet for containers",
    why: `${CANDIDATES.map(formatCidr).join(", ")} are all in use`,
    fix: "choose a free one with --subnet CIDR",
  });
}

/**
 * Small networks for the link to a namespace, from ranges that no host uses (RFC 5737, RFC 2544).
 */
const TEST_NETWORKS: readonly Cidr[] = ["192.0.2.0/30", "198.18.0.0/30", "203.0.113.0/30"]
  .map((text) => parseCidr(text)!);

/**
 * A free network of four addresses.
 *
 * @throws {HpkError} If none is free.
 */
export function freeNetwork(occupied: Occupied): Cidr {
  const free = TEST_NETWORKS.find((subnet) => ownerOf(subnet, "", occupied) === undefined);
  if (free !== undefined) return free;
  throw new HpkError({
    what: "cannot create a link for the checks",
    why: `${TEST_NETWORKS.map(formatCidr).join(", ")} are all in use on this host`,
    fix: "remove one of them from the host: they are reserved for documentation and tests",
  });
}

function ownerOf(subnet: Cidr, bridge: string, occupied: Occupied): string | undefined {
  if (overlaps(subnet, APPTAINER_SUBNET)) {
    return `Apptainer's own bridge network ${formatCidr(APPTAINER_SUBNET)}`;
  }
  for (const link of occupied.links) {
    if (link.name === bridge) continue;
    const address = link.addresses.find(({ cidr }) => overlaps(cidr, subnet));
    if (address !== undefined) {
      return `${link.name} (${formatIpv4(address.address)}/${address.cidr.prefix})`;
    }
  }
  const route = occupied.routes.find(({ destination, device }) =>
    destination.prefix > 0 && device !== bridge && overlaps(destination, subnet)
  );
  if (route !== undefined) {
    return `the host's route to ${formatCidr(route.destination)} via ${
      route.device ?? "no device"
    }`;
  }
  const use = occupied.uses.find((one) =>
    !one.ours && one.subnets.some((other) => overlaps(other, subnet))
  );
  if (use !== undefined) return `the network of ${use.path}`;
  const network = occupied.networks.find(({ cidr }) => overlaps(cidr, subnet));
  return network === undefined ? undefined : `${network.owner} (${formatCidr(network.cidr)})`;
}

/**
 * Checks that no other configuration uses our network's name or bridge.
 *
 * @throws {HpkError} Naming the file.
 */
export function checkNames(name: string, bridge: string, uses: readonly CniUse[]): void {
  for (const use of uses.filter(({ ours }) => !ours)) {
    const fail = (what: string, why: string, key: string): never => {
      throw new HpkError({
        what,
        why: `${use.path} ${why}, and it is not ours`,
        fix: `choose another with '${key} = …' below [network] in host.ini, or remove that file`,
      });
    };
    if (use.name === name) {
      fail(`cannot name the network '${name}'`, "has that name", "name");
    }
    if (use.bridges.includes(bridge)) {
      fail(`cannot use the bridge ${bridge}`, "uses it", "bridge");
    }
  }
}

/**
 * Checks the link with our bridge's name, if there is one.
 *
 * @param isOurs Whether we made the bridge.
 * @throws {HpkError} If it is not our bridge.
 */
export function checkBridge(
  bridge: string,
  links: readonly HostLink[],
  isOurs: boolean,
): void {
  const link = links.find((one) => one.name === bridge);
  if (link === undefined || (link.kind === "bridge" && isOurs)) return;
  throw new HpkError({
    what: `cannot use the bridge ${bridge}`,
    why: link.kind === "bridge"
      ? "a bridge of that name exists, and host-setup did not create it"
      : `an interface of that name is ${link.kind === undefined ? "hardware" : `a ${link.kind}`}`,
    fix: "choose another name with 'bridge = …' below [network] in host.ini",
  });
}

/**
 * The text of the configuration.
 *
 * - ipMasq is off: our own chains in the packet filter masquerade.
 * - promiscMode lets the host answer on the bridge regardless of a port's state. If br_netfilter is
 *   in use, hairpinMode replaces it (the plugin rejects both): then a container's connection to its
 *   own published port is translated inside the bridge and leaves through the port that it came
 *   from, and since Linux 6.9 the copy that a promiscuous bridge passes up has lost its connection.
 * - firewall and portmap are Apptainer's own way to accept a container's traffic, and to support
 *   `--network-args portmap=80:80/tcp`.
 * - There is no block for checksum offload: the plugin `tuning` has no such setting.
 */
export function formatConflist(network: CniNetwork): string {
  const { name, bridge, subnet, mtu, bridgeNetfilter } = network;
  const config = {
    comment: MARKER,
    cniVersion: "0.4.0",
    name,
    plugins: [
      {
        type: "bridge",
        bridge,
        isGateway: true,
        ipMasq: false,
        ...(bridgeNetfilter ? { hairpinMode: true } : { promiscMode: true }),
        mtu,
        ipam: {
          type: "host-local",
          subnet: formatCidr(subnet),
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "firewall" },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** The bridge's own Ethernet address: it does not change with its ports. */
export function bridgeMac(subnet: Cidr): string {
  return macOf(subnet.network + 1);
}
