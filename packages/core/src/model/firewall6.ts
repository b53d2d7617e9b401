/**
 * The IPv6 side of our part of the packet filter: chains of the same names and in the same form as in
 * `firewall.ts`, for ip6tables.
 */

import type { OwnChain } from "./firewall.ts";
import type { NetworkRecord6 } from "./ledger_record.ts";

/** Address of the instance metadata service of Amazon's cloud (EC2 User Guide, "IMDS"). */
const IMDS6 = "fd00:ec2::254/128";

/**
 * The chains that networks need: what enters or leaves by a bridge is accepted, but for the metadata
 * service, whose credentials are the host's; inside the pod network and to groups the source is kept,
 * the rest is masqueraded unless flanneld does that; the MSS of TCP follows the path's MTU.
 */
export function wantedChains6(networks: readonly NetworkRecord6[]): OwnChain[] {
  const bridges = [...new Set(networks.map(({ bridge }) => bridge))];
  const clamp = "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";
  const chains: OwnChain[] = [
    {
      table: "filter",
      name: "HPK-FORWARD",
      parent: "FORWARD",
      rules: [
        ...bridges.map((bridge) =>
          `-d ${IMDS6} -i ${bridge} -j REJECT --reject-with icmp6-adm-prohibited`
        ),
        ...bridges.flatMap((bridge) => [`-i ${bridge} -j ACCEPT`, `-o ${bridge} -j ACCEPT`]),
      ],
    },
    {
      table: "nat",
      name: "HPK-POSTROUTING",
      parent: "POSTROUTING",
      rules: networks.filter(({ masquerade }) => masquerade).flatMap((network) => {
        const { bridge, subnet, podNetwork, uplink } = network;
        return [
          `-s ${subnet} -d ${podNetwork} -j RETURN`,
          `-s ${subnet} -d ff00::/8 -j RETURN`,
          `-s ${subnet} ${uplink === null ? `! -o ${bridge}` : `-o ${uplink}`} -j MASQUERADE`,
        ];
      }),
    },
    {
      table: "mangle",
      name: "HPK-FORWARD",
      parent: "FORWARD",
      rules: bridges.flatMap((bridge) => [`-i ${bridge} ${clamp}`, `-o ${bridge} ${clamp}`]),
    },
  ];
  return chains.filter(({ rules }) => rules.length > 0);
}
