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
