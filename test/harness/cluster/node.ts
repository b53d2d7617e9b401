import type { PrivateHost } from "../mod.ts";

/** How pod packets travel between hosts. */
export type Backend = "vxlan" | "host-gw";

/** How the hosts are configured. */
export type Programmer = "flanneld" | "hand";

/** Options of {@linkcode Cluster.create}. */
export interface ClusterOptions {
  readonly hosts: number;
  readonly backend: Backend;
  readonly by: Programmer;
  /**
   * Whether flanneld masquerades traffic that leaves the pod network; by hand only we do. Default
   * false.
   */
  readonly ipMasq?: boolean;
  /** Dual stack: an IPv6 pod network in addition to the IPv4 one. Default false. */
  readonly ipv6?: boolean;
  /** Number of a host whose network card fails at checksums inside VXLAN; see `_faulty_nic.ts`. */
  readonly faultyNic?: number;
}

/** A host of a cluster. */
export interface Node {
  readonly host: PrivateHost;
  /** Number, from 1. */
  readonly number: number;
  /** Address on the underlay. */
  readonly address: string;
  /** IPv6 address on the underlay. */
  readonly address6: string;
}
