/** Host ports that other programs forward by rules in the packet filter. */

import { OWN_CHAINS } from "@hpk/core";
import type { PortProtocol } from "@hpk/core";

/** Ports that a rule takes. */
export interface ForwardedPort {
  readonly protocol: PortProtocol;
  /** The destination that the rule matches; null for any. */
  readonly hostAddress: string | null;
  readonly hostPort: number;
  readonly count: number;
  /** The rule's chain, such as "DOCKER". */
  readonly chain: string;
}

/** The chain from which Kubernetes forwards node ports to a service's own chain. */
const NODE_PORTS = "KUBE-NODEPORTS";

/**
 * Finds the ports that rules of others, such as Docker or CNI's portmap plugin, forward.
 *
 * @param saved Output of iptables-save(8).
 */
export function forwardedPorts(saved: string): ForwardedPort[] {
  let table = "";
  const own: readonly string[] = OWN_CHAINS.map(({ name }) => name);
  return saved.split("\n").flatMap((line) => {
    if (line.startsWith("*")) table = line.slice(1).trim();
    const rule = /^-A (\S+) (.*)$/.exec(line);
    if (table !== "nat" || rule === null) return [];
    const [, chain = "", rest = ""] = rule;
    // Comments may contain anything.
    const text = rest.replace(/"(?:[^"\\]|\\.)*"/g, "");
    const takes = /-j (?:DNAT|REDIRECT)\b/.test(text) || chain === NODE_PORTS;
    const protocol = /(?:^| )-p (tcp|udp)\b/.exec(text)?.[1] as PortProtocol | undefined;
    const ports = /(?:^| )--dports? (\S+)/.exec(text)?.[1];
    if (own.includes(chain) || !takes || protocol === undefined || ports === undefined) return [];
    const hostAddress = /(?:^| )-d ([0-9.]+)\/32\b/.exec(text)?.[1] ?? null;
    return ports.split(",").map((span) => {
      const [first = 0, last = first] = span.split(":").map(Number);
      return { protocol, hostAddress, hostPort: first, count: last - first + 1, chain };
    });
  });
}
