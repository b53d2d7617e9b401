/**
 * What is written down of a container before anything is made for it, so that whoever comes later
 * can take it down, whatever became of its owner.
 */

import type { HostDifference } from "./host_state.ts";
import { hostLinkName, namespaceName } from "./names.ts";
import type { PublishedPort } from "./published_port.ts";

/** A process, told apart from a later one with the same number. */
export interface ProcessId {
  readonly pid: number;
  /** Start time in clock ticks since boot (proc_pid_stat(5), field 22). */
  readonly startTime: number;
  /** Which boot it belongs to (/proc/sys/kernel/random/boot_id). */
  readonly bootId: string;
}

/** Something that is made for a container and has to be removed with it. */
export type Resource =
  /** An address allocated by host-local: the network's name there and the container's id. */
  | { readonly kind: "lease"; readonly network: string; readonly id: string }
  /** A named network namespace, as `ip netns` lists it. */
  | { readonly kind: "namespace"; readonly name: string }
  /** A session of hpk-net-daemon, by its id. */
  | { readonly kind: "relay"; readonly id: string }
  /** A link of the host. */
  | { readonly kind: "link"; readonly name: string }
  /** A directory with all that is in it. */
  | { readonly kind: "directory"; readonly path: string }
  /** What a runtime made besides: its processes, its files, its control group. */
  | { readonly kind: "container"; readonly runtime: string; readonly id: string }
  /** A control group in every hierarchy, by its path from their roots. */
  | { readonly kind: "cgroup"; readonly name: string };

/** How the boot of a container with systemd as its first process went. */
export interface BootReport {
  /**
   * What systemctl(1) is-system-running says, such as "running" or "degraded"; "starting" where it had
   * not come up in time, "unknown" where the first process is not systemd.
   */
  readonly state: string;
  /** Units in state failed. */
  readonly failedUnits: readonly string[];
  /** What the boot changed of the host's network, where the container shares it; else empty. */
  readonly differences: readonly HostDifference[];
}

/** How a container's traffic is treated where it differs from that of others. */
export interface TrafficPolicy {
  /** Whether it is kept from other isolated containers. */
  readonly isolated: boolean;
  /** Whether its traffic to outside gets the host's address. */
  readonly masquerade: boolean;
  /** Whether it reaches the cloud's instance metadata service. */
  readonly imds: boolean;
}

/** How far a container has come. */
export type Phase = "starting" | "running" | "stopping";

/** A container in the ledger. */
export interface ContainerRecord {
  /** Version of this form. */
  readonly version: 1;
  /** Twelve hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** "run" lives as long as its command, "instance" until it is stopped. */
  readonly kind: "run" | "instance";
  readonly phase: Phase;
  /**
   * Whose life the record depends on: who sets it up, then the container's first process, then who
   * takes it down. A record whose owner is dead is reclaimed.
   */
  readonly owner: ProcessId;
  /** When it was recorded, ISO 8601 in UTC. */
  readonly created: string;
  /** Name of the runtime that runs it: "apptainer", "crun". */
  readonly runtime: string;
  /** The image as the user named it. */
  readonly image: string;
  /**
   * Where its address is from; "host" and "none" for a container without a network of ours, which has
   * none of what follows up to `ports`.
   */
  readonly mode: "flannel" | "static" | "host" | "none";
  /** How frames reach it. */
  readonly datapath: "veth" | "tap" | "relay";
  /**
   * This host's subnet, such as "10.96.0.0/24". Without a network of ours it is empty, as are gateway
   * and bridge, and the MTU is 0.
   */
  readonly subnet: string;
  readonly gateway: string;
  readonly bridge: string;
  /** MTU of the container's interface in bytes. */
  readonly mtu: number;
  /** The container's address; null until it is allocated. */
  readonly address: string | null;
  /** This host's IPv6 subnet, the gateway in it, and the container's address; null where there is none. */
  readonly subnet6: string | null;
  readonly gateway6: string | null;
  readonly address6: string | null;
  /** Ports of the host that lead to it, none of them 0. */
  readonly ports: readonly PublishedPort[];
  readonly policy: TrafficPolicy;
  /**
   * How it learns the names of other containers: from the host's name server; from its own hosts file,
   * which the monitor keeps current; or not at all.
   */
  readonly names: "server" | "hosts" | "none";
  /** In the order in which they are made; taken down in reverse. */
  readonly resources: readonly Resource[];
  /** What went wrong when it was last taken down; empty otherwise. */
  readonly errors: readonly string[];
  /** How its boot went; absent where it was not booted, or is booting. */
  readonly boot?: BootReport;
}

/** A network that containers were started on, as far as our chains of the packet filter depend on it. */
export interface NetworkRecord {
  readonly bridge: string;
  /** This host's subnet, such as "10.96.0.0/24". */
  readonly subnet: string;
  /** The pod network of all hosts. */
  readonly podNetwork: string;
  /** Whether we masquerade what leaves the pod network. */
  readonly masquerade: boolean;
  /** The interface to masquerade on; null means every one but the bridge. */
  readonly uplink: string | null;
  /** The gateway address, where our name server listens there; else null. */
  readonly nameServer: string | null;
}

/** What we changed on the host for all containers together. */
export interface HostRecord {
  /** Version of this form. */
  readonly version: 1;
  /**
   * Another after each change of the shared part: a random id. Null while it is being changed: what is
   * seen of it then does not count, also where the change is cut short.
   */
  readonly generation: string | null;
  readonly bridge: string;
  /** Whether the bridge is ours to remove. */
  readonly madeBridge: boolean;
  /** Gateway addresses of the bridge with their prefixes, but for those that were there before us. */
  readonly addedAddresses: readonly string[];
  /** Whether the bridge was there before us, and down. */
  readonly broughtBridgeUp: boolean;
  /** What we changed for IPv6; null where no container has had it. */
  readonly ipv6: HostRecord6 | null;
  /** The interface of a VXLAN whose transmit checksums we have switched off; else null. */
  readonly mendedChecksum: string | null;
  /** Every network that containers were started on; one for each bridge and subnet. */
  readonly networks: readonly NetworkRecord[];
  /** Whether a container may have rules of its own in the packet filter. */
  readonly ownRules: boolean;
  /** Value of the bridge's route_localnet before us; null where we have not changed it. */
  readonly priorRouteLocalnet: string | null;
  /** Value of net.ipv4.ip_forward before us. */
  readonly priorForwarding: string;
  /** Whether the directory of named network namespaces was not there before us. */
  readonly madeNamespaceDirectory: boolean;
}

/** What we changed on the host for IPv6. */
export interface HostRecord6 {
  /** Value of net.ipv6.conf.all.forwarding before us. */
  readonly priorForwarding: string;
  /** Interfaces that we let go on to accept their router's announcements (accept_ra was 1). */
  readonly acceptRouters: readonly string[];
  /** The IPv6 networks that containers were started on. */
  readonly networks: readonly NetworkRecord[];
}

/** A process that cannot exist: the owner of a record that anyone may reclaim. */
export const NO_PROCESS: ProcessId = { pid: 0, startTime: 0, bootId: "" };

/** Name of our network in host-local's directory. */
const LEASE_NETWORK = "hpktainer";

/**
 * What a container consists of, in the order in which it is made. All names follow from the id, so
 * that they are known before anything is made.
 *
 * @param id The container's id.
 * @param directory Directory of its files.
 * @param datapath How frames reach it.
 */
export function resourcesOf(
  id: string,
  directory: string,
  datapath: ContainerRecord["datapath"] = "veth",
): Resource[] {
  const session: Resource[] = datapath === "veth" ? [] : [{ kind: "relay", id }];
  return [
    { kind: "directory", path: directory },
    { kind: "lease", network: LEASE_NETWORK, id },
    { kind: "namespace", name: namespaceName(id) },
    ...session,
    { kind: "link", name: hostLinkName(id) },
  ];
}

/**
 * A record for an entry of the ledger that cannot be read: enough to take down what belongs to its id.
 */
export function unreadableRecord(id: string, directory: string, error: string): ContainerRecord {
  return {
    version: 1,
    id,
    name: id,
    kind: "run",
    phase: "stopping",
    owner: NO_PROCESS,
    created: new Date(0).toISOString(),
    runtime: "apptainer",
    image: "",
    mode: "static",
    datapath: "relay",
    subnet: "0.0.0.0/0",
    gateway: "0.0.0.0",
    bridge: "",
    mtu: 0,
    address: null,
    subnet6: null,
    gateway6: null,
    address6: null,
    ports: [],
    policy: { isolated: false, masquerade: true, imds: false },
    names: "none",
    // That of a relay is the longest list; what was never made is not missed.
    resources: resourcesOf(id, directory, "relay"),
    errors: [error],
  };
}

/**
 * Reads a container's record.
 *
 * @throws {SyntaxError} When it is none, or of another version.
 */
export function parseContainerRecord(json: string): ContainerRecord {
  return parseVersion1(json, [
    "id",
    "name",
    "owner",
    "phase",
    "created",
    "resources",
  ]) as unknown as ContainerRecord;
}

/**
 * Reads the host's record.
 *
 * @throws {SyntaxError} When it is none, or of another version.
 */
export function parseHostRecord(json: string): HostRecord {
  return parseVersion1(json, ["bridge", "priorForwarding"]) as unknown as HostRecord;
}

function parseVersion1(json: string, keys: readonly string[]): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null) throw new SyntaxError("the record is no object");
  const record = value as Record<string, unknown>;
  if (record["version"] !== 1) {
    throw new SyntaxError(`the record has version ${record["version"]}, and version 1 is known`);
  }
  const missing = keys.find((key) => record[key] === undefined);
  if (missing !== undefined) throw new SyntaxError(`the record has no ${missing}`);
  return record;
}
