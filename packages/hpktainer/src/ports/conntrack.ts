import type { PublishedPort } from "@hpk/core";
import { runCommand } from "@hpk/core/os";
import { findProgram, OPTIONAL_PROGRAMS } from "@hpk/core/os";

/**
 * Deletes the kernel's UDP flows to host ports, so that the next datagram of each meets the present
 * rules. A new TCP connection begins with a handshake; a UDP flow would be forwarded to the old
 * container as long as it does not pause, for minutes or for ever.
 *
 * Without conntrack(8) flows end by the kernel's timeout.
 */
export async function forgetFlows(ports: readonly PublishedPort[]): Promise<void> {
  const path = findProgram(OPTIONAL_PROGRAMS.conntrack);
  if (path === undefined) return;
  for (const { protocol, hostPort, count } of ports) {
    if (protocol !== "udp") continue;
    if (count > MANY) {
      // One call for all: other flows are tracked again from their next datagram on.
      await runCommand(path, ["-D", "-p", "udp", "--dst-nat"]);
      continue;
    }
    for (let port = hostPort; port < hostPort + count; port++) {
      // Exit status 1 if there is no such flow.
      await runCommand(path, ["-D", "-p", "udp", "--orig-port-dst", String(port)]);
    }
  }
}

/** Number of ports from which on all flows with a translated destination are deleted instead. */
const MANY = 16;
