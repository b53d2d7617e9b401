import type { PortProtocol } from "@hpk/core";
import { type Listener, parseSocketTable } from "./pure/socket_table.ts";
import { readFileIfExists } from "@hpk/core/os";

/** Where the kernel lists this network namespace's sockets (proc_pid_net(5)). */
const TABLES: Readonly<Record<PortProtocol, readonly string[]>> = {
  tcp: ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"],
  udp: ["/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"],
};

/** Every socket of this network namespace that receives on a port. */
export function readListeners(protocol: PortProtocol): Listener[] {
  return TABLES[protocol].flatMap((path) =>
    parseSocketTable(readFileIfExists(path) ?? "", protocol)
  );
}

/**
 * Names the process that has a socket, as "nginx (pid 123)".
 *
 * @param inode The socket's inode.
 * @return Undefined if it cannot be found, for example in another container.
 */
export function ownerOfSocket(inode: string): string | undefined {
  const wanted = `socket:[${inode}]`;
  for (const { name: pid } of Deno.readDirSync("/proc")) {
    if (!/^[0-9]+$/.test(pid)) continue;
    try {
      for (const { name: fd } of Deno.readDirSync(`/proc/${pid}/fd`)) {
        if (linkTarget(`/proc/${pid}/fd/${fd}`) !== wanted) continue;
        return `${Deno.readTextFileSync(`/proc/${pid}/comm`).trim()} (pid ${pid})`;
      }
    } catch {
      // It has ended meanwhile, or we may not read it.
    }
  }
  return undefined;
}

function linkTarget(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

/** Range of ports that the kernel chooses from (ip-sysctl, ip_local_port_range). */
export function readPortRange(): [first: number, last: number] {
  const text = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range");
  const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
  return [first, last];
}
