/** Who has which ports of the host, and which are given to a container that asks for some. */

import { HpkError } from "@hpk/core";
import {
  addressesMeet,
  formatPublish,
  formatSpan,
  MAX_PORT,
  portsMeet,
  type PublishedPort,
} from "@hpk/core";

/** Ports of the host that someone has. */
export interface PortClaim extends Pick<PublishedPort, "protocol" | "hostAddress" | "count"> {
  /** The first port. */
  readonly hostPort: number;
  /** Says who has it, as a clause: "container 'web' has it". Asked for only where that matters. */
  readonly owner: () => string;
}

/** Where free ports are taken from: first and last (ip-sysctl, ip_local_port_range). */
export type PortRange = readonly [first: number, last: number];

/**
 * Gives each request its ports: those that it names, or for host port 0 free ones.
 *
 * @param claims What others have.
 * @param range Where free ports are taken from.
 * @param kernelPort A port that the kernel gives to who asks for any: where the search begins.
 * @return The requests with no host port 0.
 * @throws {HpkError} When someone has a port, or none is free; it names the owner.
 */
export function assignPorts(
  requests: readonly PublishedPort[],
  claims: readonly PortClaim[],
  range: PortRange,
  kernelPort: () => number,
): PublishedPort[] {
  const taken = [...claims];
  const given: PublishedPort[] = [];
  // Named ones first: a free one must not be what the next request names.
  const ordered = [...requests].sort((a, b) => Number(a.hostPort === 0) - Number(b.hostPort === 0));
  for (const request of ordered) {
    const port = request.hostPort === 0 ? freePort(request, taken, range, kernelPort) : request;
    const claim = taken.find((other) => claimMeets(other, port));
    if (claim !== undefined) {
      throw new HpkError({
        what: `cannot publish ${formatPublish(request)}`,
        why: claim.owner(),
        fix: "choose another port of the host, 0 for any free one, or another of its addresses",
      });
    }
    given.push(port);
    taken.push({ ...port, owner: () => `${formatPublish(port)} is asked for as well` });
  }
  return given;
}

/** Whether a claim and published ports have a port of an address in common. */
export function claimMeets(
  claim: Omit<PortClaim, "owner">,
  port: Omit<PublishedPort, "containerPort">,
): boolean {
  return claim.protocol === port.protocol && portsMeet(claim, port) &&
    addressesMeet(claim.hostAddress, port.hostAddress);
}

function freePort(
  request: PublishedPort,
  taken: readonly PortClaim[],
  [first, last]: PortRange,
  kernelPort: () => number,
): PublishedPort {
  const { count } = request;
  const starts = Math.min(last, MAX_PORT) - first + 2 - count;
  const offset = Math.max(kernelPort() - first, 0);
  for (let step = 0; step < starts; step++) {
    const port = { ...request, hostPort: first + (offset + step) % starts };
    if (!taken.some((claim) => claimMeets(claim, port))) return port;
  }
  throw new HpkError({
    what: `cannot publish ${formatPublish(request)}`,
    why: `none of the host's ports ${formatSpan(first, last - first + 1)} is free`,
    fix: "name a port of the host",
  });
}
