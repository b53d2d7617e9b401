import type { RelayAccess } from "../../datapath/pure/relay_access.ts";

/** A container's network as its runtime sees it. */
export interface ContainerNetwork {
  /** Path of the network namespace. */
  readonly namespacePath: string;
  readonly hostname: string;
  /** Files that replace those of the image. */
  readonly resolvConf: string;
  readonly hosts: string;
  /** File for the pid of an instance. */
  readonly pidFile: string;
  /** Address with prefix length. */
  readonly address: string;
  readonly gateway: string;
  /** IPv6 address with prefix length, and its gateway; undefined without IPv6. */
  readonly address6: string | undefined;
  readonly gateway6: string | undefined;
  readonly relay: RelayAccess | undefined;
}

/** The part of a container's network that is in its environment. */
export type NetworkAddresses = Pick<
  ContainerNetwork,
  "address" | "gateway" | "address6" | "gateway6" | "relay"
>;

/** Variables that describe the network to the container. */
export function environmentFor(network: NetworkAddresses): Record<string, string> {
  const relay = network.relay === undefined ? {} : {
    HPK_SOCKET_PATH: network.relay.socket,
    HPK_MAC: network.relay.mac,
    HPK_MTU: String(network.relay.mtu),
  };
  const ipv6 = network.address6 === undefined || network.gateway6 === undefined ? {} : {
    HPK_IP6: network.address6,
    HPK_GATEWAY_IP6: network.gateway6,
  };
  return { HPK_IP: network.address, HPK_GATEWAY_IP: network.gateway, ...ipv6, ...relay };
}
