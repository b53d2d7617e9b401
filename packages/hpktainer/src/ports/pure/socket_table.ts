/** The kernel's tables of sockets, /proc/net/tcp and its like (proc_pid_net(5)). */

import { formatIpv4 } from "@hpk/core";
import type { PortProtocol } from "@hpk/core";

/** A socket that receives what comes to a port of the host. */
export interface Listener {
  readonly protocol: PortProtocol;
  /** The address it is bound to; null for every one of both families. */
  readonly address: string | null;
  readonly port: number;
  /** Its inode, by which the process that has it is found. */
  readonly inode: string;
}

/**
 * State of a socket that takes whatever comes to its port: TCP_LISTEN, and for UDP, which has no
 * such state, the one of a socket without a peer, TCP_CLOSE (linux/tcp_states.h).
 */
const RECEIVING: Readonly<Record<PortProtocol, string>> = { tcp: "0A", udp: "07" };

/**
 * Reads one of the tables.
 *
 * @param text Contents of /proc/net/tcp, tcp6, udp or udp6, as a little-endian kernel writes it.
 */
export function parseSocketTable(text: string, protocol: PortProtocol): Listener[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const local = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(fields[1] ?? "");
    const inode = fields[9];
    if (local === null || inode === undefined || fields[3] !== RECEIVING[protocol]) return [];
    return [{ protocol, address: addressOf(local[1]!), port: parseInt(local[2]!, 16), inode }];
  });
}

/** Reads an address: words of 32 bits in the kernel's own byte order, each a network-order part. */
function addressOf(hex: string): string | null {
  const bytes = hex.match(/.{8}/g)!.flatMap((word) =>
    word.match(/../g)!.reverse().map((byte) => parseInt(byte, 16))
  );
  if (bytes.length === 4) return formatIpv4(bytes.reduce((sum, byte) => sum * 256 + byte, 0));
  // A socket on the IPv6 wildcard takes IPv4 as well, unless it is told not to, which is not shown.
  if (bytes.every((byte) => byte === 0)) return null;
  const groups = Array.from(
    { length: 8 },
    (_, index) => (bytes[2 * index]! * 256 + bytes[2 * index + 1]!).toString(16),
  );
  const isMapped = groups.slice(0, 5).every((group) => group === "0") && groups[5] === "ffff";
  if (isMapped) return bytes.slice(12).join(".");
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}
