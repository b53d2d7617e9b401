/**
 * The record of a container, written before anything is made for it, so that any later process can
 * clean up after it, whatever happened to its owner.
 */

import type { HostDifference } from "./host_state.ts";
import { hostLinkName, namespaceName } from "./names.ts";
import type { PublishedPort } from "./published_port.ts";

/** A process, distinguishable from a later one with the same pid. */
export interface ProcessId {
  readonly pid: number;
  /** Start time in clock ticks since boot (proc_pid_stat(5), field 22). */
  readonly startTime: number;
  /** The boot it belongs to (/proc/sys/kernel/random/boot_id). */
  readonly bootId: string;
}

/** Something that is made for a container and has to be removed with it. */
export type Resource =
  /** An address allocated by host-local: its name for the network, and the container's id. */
  | { readonly kind: "lease"; readonly network: string; readonly id: string }
  /** A named network namespace, as `ip netns` lists it. */
  | { readonly kind: "namespace"; readonly name: string }
  /** A session of hpk-net-daemon, by its id. */
  | { readonly kind: "relay"; readonly id: string }
  /** A link of the host. */
  | { readonly kind: "link"; readonly name: string }
  /** A directory with all its contents. */
  | { readonly kind: "directory"; readonly path: string }
  /** Everything else that a runtime made: its processes, its files, its control group. */
  | { readonly kind: "container"; readonly runtime: string; readonly id: string }
  /** A control group in every hierarchy, by its path from their roots. */
  | { readonly kind: "cgroup"; readonly name: string };

/** Result of booting a container that has systemd as its first process. */
export interface BootReport {
  /**
   * The output of systemctl(1) is-system-running, such as "running" or "degraded"; "starting" if
   * the boot had not finished in time, "unknown" if the first process is not systemd.
   */
  readonly state: string;
  /** Units in state failed. */
  readonly failedUnits: readonly string[];
  /** What the boot changed in the host's network, if the container shares it; else empty. */
  readonly differences: readonly HostDifference[];
}

/** How a container's traffic is treated, if that differs from the default. */
export interface TrafficPolicy {
  /** Whether it is isolated from other isolated containers. */
  readonly isolated: boolean;
  /** Whether its outgoing traffic is masqueraded. */
  readonly masquerade: boolean;
  /** Whether it may reach the cloud provider's instance metadata service. */
  readonly imds: boolean;
}

/** The kinds of network that a container can be on; "host" and "none" are not ours. */
export type NetworkMode = "flannel" | "static" | "host" | "none";

/** Stage of a container's life. */
export type Phase = "starting" | "running" | "stopping";

/** A container in the ledger. */
export interface ContainerRecord {
  /** Version of this format. */
  readonly version: 1;
  /** Twelve hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** "run" lives as long as its command, "instance" until it is stopped. */
  readonly kind: "run" | "instance";
  readonly phase: Phase;
  /**
   * The process that the record depends on: the one that sets it up, then the container's first
   * process, then the one that takes it down. A record whose owner is dead is reclaimed.
   */
  readonly owner: ProcessId;
  /** When it was recorded, ISO 8601 in UTC. */
  readonly created: string;
  /** Name of the runtime that runs it: "apptainer", "crun". */
  readonly runtime: string;
  /** The image as the user named it. */
  readonly image: string;
  /**
   * Source of its address; "host" and "none" for a container without a network of ours, for which
   * the fields up to `ports` are empty.
   */
  readonly mode: NetworkMode;
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
  /** This host's IPv6 subnet, its gateway, and the container's address; null without IPv6. */
  readonly subnet6: string | null;
  readonly gateway6: string | null;
  readonly address6: string | null;
  /** Its published ports, none of them 0. */
  readonly ports: readonly PublishedPort[];
  readonly policy: TrafficPolicy;
  /**
   * How it resolves the names of other containers: through the host's name server; through its own
   * hosts file, which the monitor keeps current; or not at all.
   */
  readonly names: "server" | "hosts" | "none";
  /** In the order in which they are made. */
  readonly resources: readonly Resource[];
  /** Errors of the last attempt to take it down; empty otherwise. */
  readonly errors: readonly string[];
  /** Result of its boot; absent if it was not booted, or is still booting. */
  readonly boot?: BootReport;
}

/** A network that containers were started on, as far as our packet filter chains depend on it. */
export interface NetworkRecord {
  readonly bridge: string;
  /** This host's subnet, such as "10.96.0.0/24". */
  readonly subnet: string;
  /** The pod network of all hosts. */
  readonly podNetwork: string;
  /** Whether we masquerade traffic that leaves the pod network. */
  readonly masquerade: boolean;
  /** The interface to masquerade on; null means every one but the bridge. */
  readonly uplink: string | null;
  /** The gateway address if our name server listens there; else null. */
  readonly nameServer: string | null;
}

/** What we changed on the host for all containers together. */
export interface HostRecord {
  /** Version of this format. */
  readonly version: 1;
  /**
   * A random id, new after each change of the shared part. Null while a change is in progress:
   * facts read then do not count, not even if the change is cut short.
   */
  readonly generation: string | null;
  readonly bridge: string;
  /** Whether we made the bridge, and so remove it. */
  readonly madeBridge: boolean;
  /**
   * Gateway addresses of the bridge with their prefixes, except those that were there before us.
   */
  readonly addedAddresses: readonly string[];
  /** Whether the bridge existed before us, and was down. */
  readonly broughtBridgeUp: boolean;
  /** What we changed for IPv6; null if no container has used it. */
  readonly ipv6: HostRecord6 | null;
  /** The VXLAN interface whose transmit checksum offload we have turned off; else null. */
  readonly mendedChecksum: string | null;
  /** Every network that containers were started on; one for each bridge and subnet. */
  readonly networks: readonly NetworkRecord[];
  /** Whether a container may have rules of its own in the packet filter. */
  readonly ownRules: boolean;
  /** Value of the bridge's route_localnet before us; null if we have not changed it. */
  readonly priorRouteLocalnet: string | null;
  /** Value of net.ipv4.ip_forward before us. */
  readonly priorForwarding: string;
  /** Whether the directory of named network namespaces did not exist before us. */
  readonly madeNamespaceDirectory: boolean;
  /** The subnet that we chose for containers, such as "10.213.96.0/21"; null where none of them is on one. */
  readonly automatic: string | null;
  /** How long all of this stays after the last container, in seconds: as the last start wants it. */
  readonly linger: number;
  /**
   * When the last container was released, in seconds since boot (proc_uptime(5)); null where none was.
   * It counts only while there is no container.
   */
  readonly emptySince: number | null;
}

/** What we changed on the host for IPv6. */
export interface HostRecord6 {
  /** Value of net.ipv6.conf.all.forwarding before us. */
  readonly priorForwarding: string;
  /**
   * Interfaces that we allowed to keep accepting their router's announcements (accept_ra was 1).
   */
  readonly acceptRouters: readonly string[];
  /** The IPv6 networks that containers were started on. */
  readonly networks: readonly NetworkRecord[];
}

/** A process that cannot exist: the owner of a record that any process may reclaim. */
export const NO_PROCESS: ProcessId = { pid: 0, startTime: 0, bootId: "" };

/** Name of our network in host-local's directory. */
const LEASE_NETWORK = "hpktainer";

/**
 * The resources of a container, in the order in which they are made. All names follow from the id,
 * so they are known before anything is made.
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

/** The fields that every new record is given. */
type RecordBase = Pick<
  ContainerRecord,
  "id" | "name" | "kind" | "owner" | "created" | "runtime" | "image" | "mode" | "resources"
>;

/**
 * The record of a container that is being started. Fields that are not given are as for a container
 * without a network of ours.
 */
export function newRecord(base: RecordBase & Partial<ContainerRecord>): ContainerRecord {
  return {
    version: 1,
    phase: "starting",
    datapath: "veth",
    subnet: "",
    gateway: "",
    bridge: "",
    mtu: 0,
    address: null,
    subnet6: null,
    gateway6: null,
    address6: null,
    ports: [],
    policy: { isolated: false, masquerade: true, imds: true },
    names: "none",
    errors: [],
    ...base,
  };
}

/**
 * A record for an unreadable entry of the ledger: enough to clean up what belongs to its id.
 */
export function unreadableRecord(id: string, directory: string, error: string): ContainerRecord {
  return newRecord({
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
    policy: { isolated: false, masquerade: true, imds: false },
    // A relay's list is the longest; resources that were never made do no harm.
    resources: resourcesOf(id, directory, "relay"),
    errors: [error],
  });
}

/**
 * Reads a container's record.
 *
 * @throws {SyntaxError} If the text is not one, or has another version.
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
 * @throws {SyntaxError} If the text is not one, or has another version.
 */
export function parseHostRecord(json: string): HostRecord {
  const record = parseVersion1(json, ["bridge", "priorForwarding"]) as unknown as HostRecord;
  // Of a version that did not choose a subnet, nor linger.
  const { automatic = null, linger = 0, emptySince = null } = record;
  return { ...record, automatic, linger, emptySince };
}

function parseVersion1(json: string, keys: readonly string[]): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null) {
    throw new SyntaxError("the record is not an object");
  }
  const record = value as Record<string, unknown>;
  if (record["version"] !== 1) {
    throw new SyntaxError(
      `the record has version ${record["version"]}, and only version 1 is supported`,
    );
  }
  const missing = keys.find((key) => record[key] === undefined);
  if (missing !== undefined) throw new SyntaxError(`the record lacks ${missing}`);
  return record;
}
