/** What a container needs to create its interface (datapath relay). */
export interface RelayAccess {
  /** Directory that contains only its socket. */
  readonly directory: string;
  /** Path of the socket, on the host and in the container. */
  readonly socket: string;
  /** The Ethernet address that its frames must have as source. */
  readonly mac: string;
  /** MTU in bytes. */
  readonly mtu: number;
}
