import {
  type BootReport,
  type ContainerRecord,
  formatHostDifference,
  type PublishedPort,
} from "@hpk/core";
import { describePorts } from "../../ports/pure/port_view.ts";
import { formatTable } from "../../shared/pure/text_table.ts";

/** A container as `ps --json` and `show --json` give it. The shape is stable: keys are only added. */
export interface ContainerView {
  readonly id: string;
  readonly name: string;
  /** "run" or "instance". */
  readonly kind: ContainerRecord["kind"];
  /** "starting", "running", "stopping", or "dead" where its owner is gone and it waits for `gc`. */
  readonly state: ContainerRecord["phase"] | "dead";
  /** IPv4 address; null until it is allocated. */
  readonly address: string | null;
  /** This and the next are null in the host's network; so are datapath, bridge and mtu. */
  readonly gateway: string | null;
  readonly subnet: string | null;
  /** IPv6 address, gateway and subnet; null where there are none. */
  readonly address6: string | null;
  readonly gateway6: string | null;
  readonly subnet6: string | null;
  /** "host" for a booted container in the host's network. */
  readonly mode: ContainerRecord["mode"];
  readonly datapath: ContainerRecord["datapath"] | null;
  readonly bridge: string | null;
  /** In bytes. */
  readonly mtu: number | null;
  /** Ports of the host that lead to it. */
  readonly ports: readonly PublishedPort[];
  /** Whether it is kept from other isolated containers. */
  readonly isolated: boolean;
  /** Whether its traffic to outside gets the host's address, where we are the one to do that. */
  readonly masquerade: boolean;
  /** Whether it reaches the cloud's instance metadata service. */
  readonly imds: boolean;
  readonly runtime: ContainerRecord["runtime"];
  readonly image: string;
  /** The process whose end releases the network. */
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** Name of the network namespace, for `ip netns exec`. */
  readonly namespace: string | null;
  /** Host end of the veth pair. */
  readonly link: string | null;
  /** What went wrong when it was last taken down. */
  readonly errors: readonly string[];
  /** How its boot went; null where it was not booted, or is booting. */
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

/** Lists containers for a person. */
export function formatContainers(views: readonly ContainerView[]): string {
  return formatTable([
    ["NAME", "ADDRESS", "STATE", "KIND", "PID", "CREATED", "PORTS", "IMAGE"],
    ...views.map((view) => [
      view.name,
      view.address ?? "-",
      view.state,
      view.kind,
      String(view.pid),
      view.created.replace(/\.[0-9]+Z$/, "Z"),
      describePorts(view.ports),
      view.image,
    ]),
  ]);
}

/** Shows one container for a person: a line for each property. */
export function formatContainer(view: ContainerView): string {
  return formatTable(
    Object.entries({ ...view, ports: describePorts(view.ports) }).map(([key, value]) => [
      key,
      key === "boot"
        ? bootText(view.boot)
        : Array.isArray(value)
        ? value.join("; ") || "-"
        : String(value ?? "-"),
    ]),
  );
}

function bootText(boot: BootReport | null): string {
  if (boot === null) return "-";
  return [
    boot.state,
    ...boot.failedUnits.map((unit) => `failed: ${unit}`),
    ...boot.differences.map(formatHostDifference),
  ].join("; ");
}
