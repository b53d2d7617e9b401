import type { ContainerRecord, Ipv4 } from "@hpk/core";
import type { RelayAccess } from "./pure/relay_access.ts";
import type { NetworkPlan } from "../network/pure/network_plan.ts";

/** What a link is made for. */
export interface LinkRequest {
  /** The container's id. */
  readonly id: string;
  /** Name of its network namespace, to be made. */
  readonly namespace: string;
  readonly plan: NetworkPlan;
  /** Waits for the container's address, which is being allocated meanwhile. */
  readonly address: () => Promise<Ipv4>;
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
