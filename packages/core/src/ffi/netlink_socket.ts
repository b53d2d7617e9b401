import { callOrThrow, callTwice, EINTR, SystemCallError } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { libc } from "./libc.ts";

/** socket(2), netlink(7) (linux/socket.h, linux/netlink.h). */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
/** Parts of the kernel that are spoken to. */
const PROTOCOLS = { route: 0, netfilter: 12 } as const;
const SOL_NETLINK = 270;
/** Answers do not repeat the request, and tell in words what is wrong. */
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;

/** Room for a datagram in bytes: the kernel makes none larger for a dump (net/netlink/af_netlink.c). */
const ROOM = 32 * 1024;

/**
 * A socket of netlink(7): for links, addresses and routes, rtnetlink(7), or for the packet filter. It
 * belongs to the network namespace in which it was opened, wherever this thread is later.
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
      // Older kernels than 4.12 have none of the two, and answer without.
      setsockopt(this.#socket.fd, SOL_NETLINK, option, on, on.length);
    }
  }

  /** A number for the next request, by which its answers are known. */
  nextSequence(): number {
    return ++this.#sequence;
  }

  /**
   * Sends requests. The kernel works on them at once, one after the other.
   *
   * @throws {SystemCallError} When they cannot be sent; then none was worked on.
   */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    callOrThrow("send", () => libc.send(this.#socket.fd, bytes, bytes.length, 0));
  }

  /**
   * Waits for a datagram with answers. It is there at once where a request is unanswered.
   *
   * @return Its bytes, valid until the next call.
   * @throws {SystemCallError} ENOBUFS where answers were lost.
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
