/** Our chains of the packet filter, beside those of hpktainer: their names tell them apart. */

import { formatCidr, type OwnChain, type OwnChainName } from "@hpk/core";
import type { CniNetwork } from "./cni_network.ts";

/** A packet filter that iptables writes to. */
export interface RuleSet {
  /** "iptables", or the other back end where both are in use: "iptables-legacy" or "iptables-nft". */
  readonly id: string;
  /** Path of its restore program. */
  readonly restore: string;
  /** Path of its save program. */
  readonly save: string;
  /** All tables, as the save program prints them. */
  readonly rules: string;
}

/** Every chain that may be ours. */
export const SETUP_CHAINS: readonly OwnChainName[] = [
  { table: "filter", name: "HPK-SETUP-FORWARD", parent: "FORWARD" },
  { table: "nat", name: "HPK-SETUP-POST", parent: "POSTROUTING" },
  { table: "mangle", name: "HPK-SETUP-FORWARD", parent: "FORWARD" },
];

/** Where cloud instances get their credentials from (EC2, GCE, Azure and others). */
export const IMDS = "169.254.169.254";

/**
 * The chains that the network for Apptainer needs.
 *
 * - filter: what containers send is accepted; towards them, answers and published ports.
 * - nat: what leaves by the uplink is masqueraded; also what a container sends to a published port of
 *   another (hairpin), or the answer would go to it directly, from an address that it did not call.
 * - mangle: the metadata service is closed, and the MSS of TCP connections follows the path's MTU. The
 *   former stands here because the CNI plugin `firewall` accepts all that a container sends in filter.
 *
 * @param uplink The interface that leads out; undefined means every one but the bridge.
 */
export function setupChains(
  { bridge, subnet }: CniNetwork,
  uplink: string | undefined,
  imds: "closed" | "open",
): OwnChain[] {
  const network = formatCidr(subnet);
  const out = uplink === undefined ? `! -o ${bridge}` : `-o ${uplink}`;
  const clamp = "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";
  const rules = [
    [
      `-i ${bridge} -j ACCEPT`,
      `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      `-o ${bridge} -m conntrack --ctstate DNAT -j ACCEPT`,
    ],
    [
      `-s ${network} -d ${network} -m conntrack --ctstate DNAT -j MASQUERADE`,
      `-s ${network} -d ${network} -j RETURN`,
      `-s ${network} -d 224.0.0.0/4 -j RETURN`,
      `-s ${network} ${out} -j MASQUERADE`,
    ],
    [
      ...(imds === "closed" ? [`-d ${IMDS}/32 -i ${bridge} -j DROP`] : []),
      `-i ${bridge} ${clamp}`,
      `-o ${bridge} ${clamp}`,
    ],
  ];
  return SETUP_CHAINS.map((chain, index) => ({ ...chain, rules: rules[index]! }));
}

/** Only what lets packets pass: for a packet filter that is in use beside the one with all chains. */
export function passChains(chains: readonly OwnChain[]): OwnChain[] {
  return chains.filter(({ table }) => table === "filter");
}

/** The chains as one text, to be compared and to be shown: as iptables-save(8) prints rules. */
export function formatChains(chains: readonly OwnChain[]): string {
  return chains.map(({ table, name, parent, rules }) =>
    [
      `*${table}`,
      `-A ${parent} -j ${name}`,
      ...rules.map((rule) => `-A ${name} ${rule}`),
    ].join("\n")
  ).join("\n");
}

/** Reads what {@linkcode formatChains} wrote. */
export function parseChains(text: string): OwnChain[] {
  const chains: OwnChain[] = [];
  for (const block of text.split(/^\*/m).filter((part) => part !== "")) {
    const [table, jump, ...rules] = block.trimEnd().split("\n");
    const [, parent, , name] = jump!.split(" ");
    const own = SETUP_CHAINS.find((chain) =>
      chain.table === table && chain.name === name && chain.parent === parent
    );
    if (own === undefined) continue;
    chains.push({ ...own, rules: rules.map((rule) => rule.slice(`-A ${name} `.length)) });
  }
  return chains;
}

/**
 * What is there of our chains, in the form of {@linkcode formatChains} where it is as we make it.
 *
 * @param saved Output of iptables-save(8), all tables.
 * @return null where there is nothing of ours.
 */
export function presentChains(saved: string): string | null {
  const blocks: string[] = [];
  for (const { table, name, parent } of SETUP_CHAINS) {
    const start = saved.split("\n").indexOf(`*${table}`);
    if (start < 0) continue;
    const lines = saved.split("\n").slice(start);
    const body = lines.slice(0, lines.indexOf("COMMIT"));
    const ours = body.filter((line) => line.startsWith(`-A ${name} `));
    const jumps = body.filter((line) => line.trimEnd() === `-A ${parent} -j ${name}`);
    if (!body.some((line) => line.startsWith(`:${name} `))) continue;
    blocks.push([`*${table}`, ...[...jumps, ...ours].map((line) => line.trimEnd())].join("\n"));
  }
  return blocks.length === 0 ? null : blocks.join("\n");
}
