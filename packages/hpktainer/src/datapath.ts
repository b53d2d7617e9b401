import type {
  Allocation,
  ContainerRecord,
  Datapath as DatapathSetting,
  Ipv4,
  NetworkPlan,
} from "@hpk/core";
import { relayDatapath } from "./datapath_relay.ts";
import { tapDatapath } from "./datapath_tap.ts";
import { vethDatapath } from "./datapath_veth.ts";
import type { RelayAccess } from "./pure/apptainer_command.ts";

/** What a link is made for. */
export interface LinkRequest {
  /** The container's id. */
  readonly id: string;
  /** Name of its network namespace, to be made. */
  readonly namespace: string;
  readonly plan: NetworkPlan;
  /** The container's addresses, while they are being allocated. */
  readonly allocation: Promise<Allocation>;
}

/** A way for frames between the bridge and a container. */
export interface Datapath {
  readonly name: ContainerRecord["datapath"];
  /** Whether the container makes its interface, instead of finding "eth0" in its namespace. */
  readonly containerMakesInterface: boolean;
  /** Makes the namespace, the host's link on the bridge, and what is between it and the container. */
  makeLink(request: LinkRequest): Promise<void>;
  /** What the container needs to make its interface; undefined where it does not. */
  access(id: string, address: Ipv4, mtu: number): RelayAccess | undefined;
}

/** The datapath that a setting asks for: where nothing is set, the kernel's own. */
export function datapathFor(setting: DatapathSetting): Datapath {
  switch (setting) {
    case "tap":
      return tapDatapath;
    case "relay":
      return relayDatapath;
    case "auto":
    case "veth":
      return vethDatapath;
  }
}
