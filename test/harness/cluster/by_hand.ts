/**
 * Configures a host as flanneld does (backends vxlan and host-gw), for machines without it: the
 * same links, neighbours, forwarding entries, routes and subnet.env.
 */
import type { ClusterOptions, Node } from "./node.ts";

/** The facts about a cluster that matter here. */
interface Nodes {
  readonly options: ClusterOptions;
  readonly nodes: readonly Node[];
}

/** This host's subnet, such as 10.244.1. */
const prefixOf = (node: Node) => `10.244.${node.number}`;
const prefix6Of = (node: Node) => `fd00:244:0:${node.number}`;
const macOf = (node: Node) => `0e:00:00:00:01:0${node.number}`;
const mac6Of = (node: Node) => `0e:00:00:00:06:0${node.number}`;

/** Configures `node` for all other hosts of its cluster. */
export async function programByHand(cluster: Nodes, node: Node): Promise<void> {
  const { backend, ipv6 = false } = cluster.options;
  const others = cluster.nodes.filter((other) => other !== node);
  const lines = backend === "vxlan"
    ? [
      ...vxlan("flannel.1", node.address, macOf(node), `${prefixOf(node)}.0/32`),
      ...ipv6 ? vxlan("flannel-v6.1", node.address6, mac6Of(node), `${prefix6Of(node)}::/128`) : [],
      ...others.flatMap((other) => [
        ...peer("flannel.1", `${prefixOf(other)}.0`, 24, macOf(other), other.address),
        ...ipv6
          ? peer("flannel-v6.1", `${prefix6Of(other)}::`, 64, mac6Of(other), other.address6)
          : [],
      ]),
    ]
    : others.flatMap((other) => [
      `ip route replace ${prefixOf(other)}.0/24 via ${other.address}`,
      ...ipv6 ? [`ip route replace ${prefix6Of(other)}::/64 via ${other.address6}`] : [],
    ]);
  const mtu = backend === "host-gw" ? 1500 : ipv6 ? 1430 : 1450;
  await node.host.sh(`
    ${lines.join("\n")}
    mkdir -p /run/flannel
    cat > /run/flannel/subnet.env <<END
FLANNEL_NETWORK=10.244.0.0/16
FLANNEL_SUBNET=${prefixOf(node)}.1/24
${
    ipv6
      ? `FLANNEL_IPV6_NETWORK=fd00:244::/56\nFLANNEL_IPV6_SUBNET=${prefix6Of(node)}::1/64\n`
      : ""
  }FLANNEL_MTU=${mtu}
FLANNEL_IPMASQ=false
END
`);
}

/** The VXLAN of flanneld: VNI 1, its port, no learning. */
function vxlan(name: string, local: string, mac: string, address: string): string[] {
  const overhead = local.includes(":") ? 70 : 50;
  return [
    `ip link add ${name} address ${mac} mtu ${
      1500 - overhead
    } type vxlan id 1 dev eth0 local ${local} dstport 8472 nolearning`,
    `ip addr add ${address} dev ${name}`,
    `ip link set ${name} up`,
  ];
}

function peer(link: string, gateway: string, prefix: number, mac: string, host: string): string[] {
  return [
    `ip neigh replace ${gateway} lladdr ${mac} dev ${link} nud permanent`,
    `bridge fdb append ${mac} dev ${link} dst ${host}`,
    `ip route replace ${gateway}/${prefix} via ${gateway} dev ${link} onlink`,
  ];
}
