/** Which host ports are taken, and which are assigned to a container that requests some. */

import { HpkError } from "@hpk/core";
import {
  addressesMeet,
  formatPublish,
  formatSpan,
  MAX_PORT,
  portsMeet,
  type PublishedPort,
} from "@hpk/core";

/** Host ports that are taken. */
export interface PortClaim extends Pick<PublishedPort, "protocol" | "hostAddress" | "count"> {
  /** The first port. */
  readonly hostPort: number;
  /** Names the owner, as a clause: "container 'web' has it". Called only for a conflict. */
  readonly owner: () => string;
}

/** Where free ports are taken from: first and last (ip-sysctl, ip_local_port_range). */
export type PortRange = readonly [first: number, last: number];

/**
 * Assigns each request its ports: those that it names, or free ones for host port 0.
 *
 * @param claims The ports of others.
 * @param range Where free ports are taken from.
 * @param kernelPort A free port chosen by the kernel: the start of the search.
 * @return The requests, with each host port 0 replaced.
 * @throws {HpkError} When a port is taken, naming its owner, or none is free.
 */
export function assignPorts(
  requests: readonly PublishedPort[],
  claims: readonly PortClaim[],
  range: PortRange,
  kernelPort: () => number,
): PublishedPort[] {
  const taken = [...claims];
  const given: PublishedPort[] = [];
  // Named ports first: a free port must not be one that a later request names.
  const ordered = [...requests].sort((a, b) => Number(a.hostPort === 0) - Number(b.hostPort === 0));
  for (const request of ordered) {
    const port = request.hostPort === 0 ? freePort(request, taken, range, kernelPort) : request;
    const claim = taken.find((other) => claimMeets(other, port));
    if (claim !== undefined) {
      throw new HpkError({
        what: `cannot publish ${formatPublish(request)}`,
        why: claim.owner(),
        fix: "choose another host port, 0 for any free one, or another host address",
      });
    }
    given.push(port);
    taken.push({ ...port, owner: () => `${formatPublish(port)} is requested as well` });
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
