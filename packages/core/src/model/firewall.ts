/**
 * The host's packet filter as we want it: a chain of our own in each table, with one jump to it from
 * the built-in chain. Text is in the form of iptables-save(8), so that what is wanted can be compared
 * with what is there, and only a difference is applied.
 */

import { formatCidr } from "./ipv4.ts";
import type { NetworkPlan } from "./network_plan.ts";

/** A chain of our own, and the built-in chain that jumps to it. */
export interface OwnChain {
  readonly table: "filter" | "nat" | "mangle";
  readonly name: string;
  /** The built-in chain that jumps to ours, as its first rule. */
  readonly parent: "FORWARD" | "POSTROUTING";
  /** Rules after "-A NAME ", in the canonical form in which iptables-save prints them. */
  readonly rules: readonly string[];
}

/** A chain of our own, whatever its rules. */
export type OwnChainName = Omit<OwnChain, "rules">;

/** Every chain that may be ours, whatever its rules: what tear-down removes. */
export const OWN_CHAINS: readonly OwnChainName[] = [
  { table: "filter", name: "HPK-FORWARD", parent: "FORWARD" },
  { table: "nat", name: "HPK-POSTROUTING", parent: "POSTROUTING" },
  { table: "mangle", name: "HPK-FORWARD", parent: "FORWARD" },
];

/**
 * The chains that a network needs.
 *
 * - filter: whatever enters or leaves by the bridge is accepted, also where the policy of FORWARD is
 *   DROP, as Docker sets it.
 * - nat: traffic inside the pod network and multicast keep their source; the rest is masqueraded,
 *   unless flanneld does that.
 * - mangle: the MSS of TCP connections follows the path's MTU.
 */
export function wantedChains(plan: NetworkPlan): OwnChain[] {
  const subnet = formatCidr(plan.subnet);
  const out = plan.uplink === undefined ? `! -o ${plan.bridge}` : `-o ${plan.uplink}`;
  const clamp = "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";
  const rules = [
    [`-i ${plan.bridge} -j ACCEPT`, `-o ${plan.bridge} -j ACCEPT`],
    plan.masquerade
      ? [
        `-s ${subnet} -d ${formatCidr(plan.podNetwork)} -j RETURN`,
        `-s ${subnet} -d 224.0.0.0/4 -j RETURN`,
        `-s ${subnet} ${out} -j MASQUERADE`,
      ]
      : [],
    [`-i ${plan.bridge} ${clamp}`, `-o ${plan.bridge} ${clamp}`],
  ];
  return OWN_CHAINS.map((chain, index) => ({ ...chain, rules: rules[index]! }))
    .filter((chain) => chain.rules.length > 0);
}

/** What iptables-save(8) shows of our chains. */
interface CurrentTable {
  /** Our chains and their rules. */
  readonly chains: Map<string, string[]>;
  /** Rules of built-in chains that jump to a chain of ours, by chain. */
  readonly jumps: Map<string, number>;
  /** Rules that are neither of ours nor jump to ours. */
  foreign: number;
}

/**
 * The input of `iptables-restore --noflush` that turns what is there into what is wanted.
 *
 * @param saved Output of iptables-save(8), all tables.
 * @param wanted Chains as {@linkcode wantedChains} gives them; an empty list removes all of ours.
 * @param own Every chain that may be ours.
 * @return The input, or the empty string where nothing has to change.
 */
export function firewallChanges(
  saved: string,
  wanted: readonly OwnChain[],
  own: readonly OwnChainName[] = OWN_CHAINS,
): string {
  const current = parseSaved(saved, own);
  const tables = new Map<string, string[]>();
  for (const chain of own) {
    const table = current.get(chain.table);
    const rules = table?.chains.get(chain.name);
    const jumps = table?.jumps.get(jumpKey(chain.parent, chain.name)) ?? 0;
    const target = wanted.find((want) => want.table === chain.table && want.name === chain.name);
    const lines = target === undefined
      ? removal(chain, rules !== undefined, jumps)
      : change(target, rules, jumps);
    if (lines.length > 0) tables.set(chain.table, [...(tables.get(chain.table) ?? []), ...lines]);
  }
  return [...tables].map(([table, lines]) => `*${table}\n${lines.join("\n")}\nCOMMIT\n`).join("");
}

/** Whether a table holds rules that are not ours: a sign that another program uses the packet filter. */
export function hasForeignRules(saved: string): boolean {
  return [...parseSaved(saved, OWN_CHAINS).values()].some((table) => table.foreign > 0);
}

function change(chain: OwnChain, rules: readonly string[] | undefined, jumps: number): string[] {
  const same = rules !== undefined && rules.length === chain.rules.length &&
    rules.every((rule, index) => rule === chain.rules[index]);
  const lines: string[] = [];
  if (!same) {
    lines.push(`:${chain.name} - [0:0]`, ...chain.rules.map((rule) => `-A ${chain.name} ${rule}`));
  }
  if (jumps === 0) lines.push(`-I ${chain.parent} 1 -j ${chain.name}`);
  for (let extra = 1; extra < jumps; extra++) lines.push(`-D ${chain.parent} -j ${chain.name}`);
  return lines;
}

function removal(chain: OwnChainName, exists: boolean, jumps: number): string[] {
  if (!exists) return [];
  return [
    ...Array.from({ length: jumps }, () => `-D ${chain.parent} -j ${chain.name}`),
    `-F ${chain.name}`,
    `-X ${chain.name}`,
  ];
}

function jumpKey(parent: string, name: string): string {
  return `${parent} ${name}`;
}

function parseSaved(saved: string, own: readonly OwnChainName[]): Map<string, CurrentTable> {
  const tables = new Map<string, CurrentTable>();
  let table: CurrentTable | undefined;
  let tableName = "";
  const isOwn = (name: string) =>
    own.some((chain) => chain.table === tableName && chain.name === name);
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) {
      tableName = line.slice(1).trim();
      table = { chains: new Map(), jumps: new Map(), foreign: 0 };
      tables.set(tableName, table);
    } else if (table !== undefined && line.startsWith(":")) {
      const name = line.slice(1).split(" ")[0]!;
      if (isOwn(name)) table.chains.set(name, []);
    } else if (table !== undefined && line.startsWith("-A ")) {
      const [, chain = "", ...rest] = line.split(" ");
      const rule = rest.join(" ").trim();
      const jump = /^-j (\S+)$/.exec(rule)?.[1];
      if (isOwn(chain)) table.chains.get(chain)?.push(rule);
      else if (jump !== undefined && isOwn(jump)) {
        const key = jumpKey(chain, jump);
        table.jumps.set(key, (table.jumps.get(key) ?? 0) + 1);
      } else table.foreign++;
    }
  }
  return tables;
}
