import type { ContainerRecord, Ipv4 } from "@hpk/core";
import type { RelayAccess } from "./pure/relay_access.ts";
import type { NetworkPlan } from "../network/pure/network_plan.ts";

/** Describes a link to create. */
export interface LinkRequest {
  /** The container's id. */
  readonly id: string;
  /** Name of its network namespace, to be created. */
  readonly namespace: string;
  readonly plan: NetworkPlan;
  /** Waits for the container's address, which is allocated meanwhile. */
  readonly address: () => Promise<Ipv4>;
}

/** Carries frames between the bridge and a container. */
export interface Datapath {
  readonly name: ContainerRecord["datapath"];
  /** Whether the container creates its interface, instead of finding "eth0" in its namespace. */
  readonly containerMakesInterface: boolean;
  /** Creates the namespace, the host's link on the bridge, and the connection to the container. */
  makeLink(request: LinkRequest): Promise<void>;
  /** What the container needs to create its interface; undefined if it does not create one. */
  access(id: string, address: Ipv4, mtu: number): RelayAccess | undefined;
}
