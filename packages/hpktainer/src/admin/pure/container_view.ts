import type { BootReport, ContainerRecord, PublishedPort } from "@hpk/core";

/**
 * A container as `ps --json` and `show --json` give it. The shape is stable: keys are only added.
 */
export interface ContainerView {
  /** Twelve hexadecimal digits. */
  readonly id: string;
  /** Its name; its id if it was not named. */
  readonly name: string;
  /** How it was started. */
  readonly kind: ContainerRecord["kind"];
  /** "dead" when its owner is gone and it waits to be cleaned up. */
  readonly state: ContainerRecord["phase"] | "dead";
  /** IPv4 address; null until it is allocated. */
  readonly address: string | null;
  /** Address of its gateway, such as 10.96.0.1; null in the host's network. */
  readonly gateway: string | null;
  /** Its subnet, such as 10.96.0.0/24; null in the host's network. */
  readonly subnet: string | null;
  /** IPv6 address; null where it has none. */
  readonly address6: string | null;
  /** IPv6 gateway; null where it has none. */
  readonly gateway6: string | null;
  /** IPv6 subnet; null where it has none. */
  readonly subnet6: string | null;
  /** "host" for a booted container in the host's network. */
  readonly mode: ContainerRecord["mode"];
  /** How frames reach it; null in the host's network. */
  readonly datapath: ContainerRecord["datapath"] | null;
  /** Name of the host's bridge; null in the host's network. */
  readonly bridge: string | null;
  /** MTU in bytes; null in the host's network. */
  readonly mtu: number | null;
  /** Ports of the host that are forwarded to it. */
  readonly ports: readonly PublishedPort[];
  /** Whether it is kept apart from other isolated containers. */
  readonly isolated: boolean;
  /** Whether hpktainer masquerades its outbound traffic. */
  readonly masquerade: boolean;
  /** Whether it may reach the cloud's instance metadata service. */
  readonly imds: boolean;
  /** Name of the runtime that runs it. */
  readonly runtime: ContainerRecord["runtime"];
  /** The image as the user named it. */
  readonly image: string;
  /** The process whose end releases the network. */
  readonly pid: number;
  /** When it was started, ISO 8601, UTC. */
  readonly created: string;
  /** Name of the network namespace, for `ip netns exec`; null where it has none. */
  readonly namespace: string | null;
  /** Host end of the veth pair; null where it has none. */
  readonly link: string | null;
  /** Errors of the last attempt to clean it up. */
  readonly errors: readonly string[];
  /** The result of its boot; null if it was not booted, or is booting. */
  readonly boot: BootReport | null;
}

/** Makes the view of a container. */
export function viewOf(record: ContainerRecord, alive: boolean): ContainerView {
  const nameOf = (kind: "namespace" | "link"): string | null => {
    const found = record.resources.find((resource) => resource.kind === kind);
    return found !== undefined && "name" in found ? found.name : null;
  };
  const ofOwn = <T>(value: T): T | null => record.mode === "host" ? null : value;
  return {
    id: record.id,
    name: record.name,
    kind: record.kind,
    state: alive ? record.phase : "dead",
    address: record.address,
    gateway: ofOwn(record.gateway),
    subnet: ofOwn(record.subnet),
    address6: record.address6,
    gateway6: record.gateway6,
    subnet6: record.subnet6,
    mode: record.mode,
    datapath: ofOwn(record.datapath),
    bridge: ofOwn(record.bridge),
    mtu: ofOwn(record.mtu),
    ports: record.ports,
    ...record.policy,
    runtime: record.runtime,
    image: record.image,
    pid: record.owner.pid,
    created: record.created,
    namespace: nameOf("namespace"),
    link: nameOf("link"),
    errors: record.errors,
    boot: record.boot ?? null,
  };
}
