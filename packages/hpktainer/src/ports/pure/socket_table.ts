/** The kernel's socket tables, /proc/net/tcp and the like (proc_pid_net(5)). */

import { formatIpv4 } from "@hpk/core";
import type { PortProtocol } from "@hpk/core";

/** A socket that receives on a host port. */
export interface Listener {
  readonly protocol: PortProtocol;
  /** The address it is bound to; null for all addresses of both families. */
  readonly address: string | null;
  readonly port: number;
  /** Its inode, which identifies the owning process. */
  readonly inode: string;
}

/**
 * State of a socket that receives from anyone: TCP_LISTEN, and for UDP, which has no such state,
 * that of an unconnected socket, TCP_CLOSE (linux/tcp_states.h).
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
  // A socket on the IPv6 wildcard accepts IPv4 as well, unless IPV6_V6ONLY is set, which is not
  // shown.
  if (bytes.every((byte) => byte === 0)) return null;
  const groups = Array.from(
    { length: 8 },
    (_, index) => (bytes[2 * index]! * 256 + bytes[2 * index + 1]!).toString(16),
  );
  const isMapped = groups.slice(0, 5).every((group) => group === "0") && groups[5] === "ffff";
  if (isMapped) return bytes.slice(12).join(".");
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}
