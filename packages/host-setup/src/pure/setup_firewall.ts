/** Our chains of the packet filter; their names differ from those of hpktainer's chains. */

import { CLAMP_MSS, formatCidr, type OwnChain, type OwnChainName } from "@hpk/core";
import type { CniNetwork } from "./cni_network.ts";

/** A packet filter that iptables writes to. */
export interface RuleSet {
  /** "iptables", or the other back end if both are in use: "iptables-legacy" or "iptables-nft". */
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

/**
 * Address of the cloud providers' metadata service, with its credentials (EC2, GCE, Azure and
 * others).
 */
export const IMDS = "169.254.169.254";

/**
 * The chains that the network for Apptainer needs.
 *
 * - filter: accepts what containers send; towards them, replies and published ports.
 * - nat: masquerades what leaves through the uplink; also what a container sends to a published
 *   port of another (hairpin), since the reply would otherwise go to it directly, from an
 *   unexpected address.
 * - mangle: blocks the metadata service, and clamps the MSS of TCP connections to the path's MTU.
 *   The former is here because the CNI plugin `firewall` accepts everything that a container sends
 *   in filter.
 *
 * @param uplink The outgoing interface; undefined means every one but the bridge.
 */
export function setupChains(
  { bridge, subnet }: CniNetwork,
  uplink: string | undefined,
  imds: "closed" | "open",
): OwnChain[] {
  const network = formatCidr(subnet);
  const out = uplink === undefined ? `! -o ${bridge}` : `-o ${uplink}`;
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
      `-i ${bridge} ${CLAMP_MSS}`,
      `-o ${bridge} ${CLAMP_MSS}`,
    ],
  ];
  return SETUP_CHAINS.map((chain, index) => ({ ...chain, rules: rules[index]! }));
}

/** Only the rules that let packets pass: for the second packet filter that is in use. */
export function passChains(chains: readonly OwnChain[]): OwnChain[] {
  return chains.filter(({ table }) => table === "filter");
}

/** The chains as one text, to compare and to show: in the form of iptables-save(8). */
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
 * Our chains as they are, in the form of {@linkcode formatChains} if they are complete.
 *
 * @param saved Output of iptables-save(8), all tables.
 * @return Null if there is nothing of ours.
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
