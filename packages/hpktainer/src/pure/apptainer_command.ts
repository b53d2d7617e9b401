import type { ContainerInvocation } from "./arguments.ts";

/** What a container needs that makes its interface itself (datapath relay). */
export interface RelayAccess {
  /** Directory of the one socket that it may reach. */
  readonly directory: string;
  /** Path of the socket, on the host and in the container. */
  readonly socket: string;
  /** The Ethernet address that its frames must come from. */
  readonly mac: string;
  /** MTU in bytes. */
  readonly mtu: number;
}

/** What Apptainer is told of a container's network. */
export interface NetworkFacts {
  /** Path of the network namespace. */
  readonly namespacePath: string;
  readonly hostname: string;
  /** Files that take the place of the image's. */
  readonly resolvConf: string;
  readonly hosts: string;
  /** File for the pid of an instance. */
  readonly pidFile: string;
  /** Address with prefix length. */
  readonly address: string;
  readonly gateway: string;
  /** IPv6 address with prefix length, and its gateway; undefined where there is none. */
  readonly address6: string | undefined;
  readonly gateway6: string | undefined;
  readonly relay: RelayAccess | undefined;
}

/**
 * Arguments for Apptainer to start a container in a ready network namespace. Ours stand behind the
 * user's: of two binds over the same file Apptainer makes the first, so that the user's wins.
 */
export function commandInNamespace(
  invocation: ContainerInvocation,
  network: NetworkFacts,
): string[] {
  const isInstance = invocation.verb.startsWith("instance");
  return [
    ...invocation.globals,
    ...invocation.verb.split(" "),
    ...invocation.options,
    "--netns-path",
    network.namespacePath,
    "--bind",
    `${network.resolvConf}:/etc/resolv.conf`,
    "--bind",
    `${network.hosts}:/etc/hosts`,
    ...(network.relay === undefined
      ? []
      : ["--bind", `${network.relay.directory}:${network.relay.directory}`]),
    ...(invocation.hostname === undefined ? ["--hostname", network.hostname] : []),
    ...(isInstance && invocation.pidFile === undefined ? ["--pid-file", network.pidFile] : []),
    invocation.image,
    ...invocation.rest,
  ];
}

/**
 * Arguments for Apptainer to start a container without a network of ours: in the host's, or in an
 * empty one.
 */
export function commandWithoutNetwork(
  invocation: ContainerInvocation,
  mode: "host" | "none",
): string[] {
  return [
    ...invocation.globals,
    ...invocation.verb.split(" "),
    ...(mode === "none" ? ["--net", "--network", "none"] : []),
    ...invocation.options,
    invocation.image,
    ...invocation.rest,
  ];
}

/**
 * Variables that carry the network into the container. Apptainer hands on what is prefixed so, also
 * with --cleanenv, and the image's own value does not win.
 */
export function environmentFor(
  network: Pick<NetworkFacts, "address" | "gateway" | "address6" | "gateway6" | "relay">,
): Record<string, string> {
  const relay = network.relay === undefined ? {} : {
    APPTAINERENV_HPK_SOCKET_PATH: network.relay.socket,
    APPTAINERENV_HPK_MAC: network.relay.mac,
    APPTAINERENV_HPK_MTU: String(network.relay.mtu),
  };
  const ipv6 = network.address6 === undefined || network.gateway6 === undefined ? {} : {
    APPTAINERENV_HPK_IP6: network.address6,
    APPTAINERENV_HPK_GATEWAY_IP6: network.gateway6,
  };
  return {
    APPTAINERENV_HPK_IP: network.address,
    APPTAINERENV_HPK_GATEWAY_IP: network.gateway,
    ...ipv6,
    ...relay,
  };
}
