import { callOrThrow, callTwice, EINTR, SystemCallError } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { libc } from "./libc.ts";

/** socket(2), netlink(7) (linux/socket.h, linux/netlink.h). */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
/** Netlink families. */
const PROTOCOLS = { route: 0, netfilter: 12 } as const;
const SOL_NETLINK = 270;
/** Answers do not repeat the request, and carry an error text. */
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;

/**
 * Receive buffer in bytes: the kernel sends no larger datagram for a dump
 * (net/netlink/af_netlink.c).
 */
const ROOM = 32 * 1024;

/**
 * A netlink(7) socket: for links, addresses and routes, rtnetlink(7), or for the packet filter. It
 * belongs to the network namespace in which it was opened, even if this thread moves to another.
 */
export class NetlinkSocket implements Disposable {
  readonly #socket: FileDescriptor;
  #sequence = 0;
  readonly #room = new Uint8Array(ROOM);

  constructor(protocol: keyof typeof PROTOCOLS) {
    const { socket, setsockopt } = libc;
    this.#socket = new FileDescriptor(
      callOrThrow("socket", () => socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, PROTOCOLS[protocol])),
    );
    const on = new Uint8Array(new Uint32Array([1]).buffer);
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) {
      // Kernels before 4.12 have neither option, and answer without them.
      setsockopt(this.#socket.fd, SOL_NETLINK, option, on, on.length);
    }
  }

  /** A number for the next request, which its answers repeat. */
  nextSequence(): number {
    return ++this.#sequence;
  }

  /**
   * Sends requests. The kernel processes them at once, one after the other.
   *
   * @throws {SystemCallError} If they cannot be sent; then none was processed.
   */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    callOrThrow("send", () => libc.send(this.#socket.fd, bytes, bytes.length, 0));
  }

  /**
   * Waits for a datagram with answers; it is already there if a request has not been answered yet.
   *
   * @return Its bytes, valid until the next call.
   * @throws {SystemCallError} ENOBUFS if answers were lost.
   */
  receive(): Uint8Array {
    for (;;) {
      const { result, errno } = callTwice(() => libc.recv(this.#socket.fd, this.#room, ROOM, 0));
      if (result !== -1) return this.#room.subarray(0, result);
      if (errno !== EINTR) throw new SystemCallError("recv", errno);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
