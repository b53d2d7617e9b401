import type { PublishedPort } from "@hpk/core";
import { runCommand } from "@hpk/core/os";
import { findProgram, OPTIONAL_PROGRAMS } from "@hpk/core/os";

/**
 * Lets the kernel forget the UDP flows to host ports, so that the next datagram of each meets the
 * rules as they are now. A TCP connection is told apart from the next one by its handshake; a flow of
 * datagrams would lead to the old place as long as it does not pause, for minutes or for ever.
 *
 * Without conntrack(8) they end by the kernel's timeout.
 */
export async function forgetFlows(ports: readonly PublishedPort[]): Promise<void> {
  const path = findProgram(OPTIONAL_PROGRAMS.conntrack);
  if (path === undefined) return;
  for (const { protocol, hostPort, count } of ports) {
    if (protocol !== "udp") continue;
    if (count > MANY) {
      // One call for all: flows that were not meant are tracked anew with their next datagram.
      await runCommand(path, ["-D", "-p", "udp", "--dst-nat"]);
      continue;
    }
    for (let port = hostPort; port < hostPort + count; port++) {
      // Exit status 1 when there is none.
      await runCommand(path, ["-D", "-p", "udp", "--orig-port-dst", String(port)]);
    }
  }
}

/** From how many ports on all flows with a translated destination are forgotten instead. */
const MANY = 16;
