/**
 * The rules that we want in the host's packet filter: one chain of our own for each purpose, and
 * one jump to it from the built-in chain. Text is in the form of iptables-save(8), so that the
 * wanted rules can be compared with the present ones, and only the difference is applied.
 */

import type { ContainerRecord, NetworkRecord } from "./ledger_record.ts";
import { bracketed, type PublishedPort } from "./published_port.ts";

/** A chain of our own, and the built-in chain that jumps to it. */
export interface OwnChain {
  readonly table: "filter" | "nat" | "mangle";
  readonly name: string;
  /** The built-in chain whose first rule jumps to ours; null if only chains of ours jump to it. */
  readonly parent: "FORWARD" | "INPUT" | "OUTPUT" | "POSTROUTING" | "PREROUTING" | null;
  /** Rules without their "-A NAME ", in the canonical form of iptables-save. */
  readonly rules: readonly string[];
}

/** Name of a chain of our own. */
export type OwnChainName = Omit<OwnChain, "rules">;

/** Every chain that may be ours: what tear-down removes. */
export const OWN_CHAINS = [
  { table: "filter", name: "HPK-INPUT", parent: "INPUT" },
  { table: "filter", name: "HPK-FORWARD", parent: "FORWARD" },
  { table: "filter", name: "HPK-ISOLATED", parent: null },
  { table: "nat", name: "HPK-PREROUTING", parent: "PREROUTING" },
  { table: "nat", name: "HPK-OUTPUT", parent: "OUTPUT" },
  { table: "nat", name: "HPK-POSTROUTING", parent: "POSTROUTING" },
  { table: "mangle", name: "HPK-PREROUTING", parent: "PREROUTING" },
  { table: "mangle", name: "HPK-FORWARD", parent: "FORWARD" },
] as const satisfies readonly OwnChainName[];

/** A container that has rules of its own, as far as the packet filter is concerned. */
export type FilteredContainer = Pick<ContainerRecord, "bridge" | "ports" | "policy"> & {
  readonly address: string;
};

/** What our chains are built from. */
export interface FirewallInputs {
  /** Every network that containers were started on. */
  readonly networks: readonly NetworkRecord[];
  /** All containers that have rules of their own, and possibly others. */
  readonly containers: readonly FilteredContainer[];
  /** Whether packets from a bridge could reach the host's loopback (ip-sysctl, route_localnet). */
  readonly localRoutes: boolean;
}

/** An address family: each has its own packet filter. */
export type AddressFamily = "ipv4" | "ipv6";

/**
 * Matches the beginning of a TCP connection and clamps its MSS to the path's MTU, in the form of
 * iptables-save(8).
 */
export const CLAMP_MSS = "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";

/** Whether a container needs rules of its own in the packet filter. */
export function hasOwnRules(record: Pick<ContainerRecord, "ports" | "policy">): boolean {
  const { isolated, masquerade, imds } = record.policy;
  return record.ports.length > 0 || isolated || !masquerade || imds;
}

/** What differs between the two packet filters. */
interface FamilyTerms {
  /** Length of a single address as a prefix, in bits. */
  readonly one: string;
  /** Address of the cloud providers' instance metadata service. */
  readonly imds: string;
  /** How a packet to it is rejected. */
  readonly refusal: string;
  /** Multicast addresses. */
  readonly multicast: string;
  /** Loopback addresses, if packets to them can be forwarded to a container nevertheless. */
  readonly loopback: string | null;
}

const TERMS: Readonly<Record<AddressFamily, FamilyTerms>> = {
  ipv4: {
    one: "/32",
    // AWS, Azure, Google, OpenStack; RFC 3927.
    imds: "169.254.169.254/32",
    refusal: "icmp-admin-prohibited",
    multicast: "224.0.0.0/4",
    // RFC 1122, section 3.2.1.3; by route_localnet (ip-sysctl).
    loopback: "127.0.0.0/8",
  },
  ipv6: {
    one: "/128",
    // EC2 User Guide, "IMDS".
    imds: "fd00:ec2::254/128",
    refusal: "icmp6-adm-prohibited",
    multicast: "ff00::/8",
    // IPv6 has no counterpart of route_localnet.
    loopback: null,
  },
};

/**
 * The chains that networks and containers need.
 *
 * - filter: accepts queries to our name server, even if the policy of INPUT is DROP. Blocks the
 *   metadata service, whose credentials are the host's, except for its DNS, which is the resolver
 *   of Google's hosts. Drops what one isolated container sends to another, also through a published
 *   port; the bridge itself drops direct traffic between them. Accepts everything else that enters
 *   or leaves by a bridge, even if the policy of FORWARD is DROP, as Docker sets it.
 * - nat: forwards published ports to containers, for packets from outside and from the host. A
 *   client on the bridge is masqueraded, since the answer would otherwise bypass the host; so is
 *   one that uses the host's loopback. Traffic inside the pod network and multicast keep their
 *   source; the rest is masqueraded, unless flanneld does so or the container is to keep its
 *   address.
 * - mangle: clamps the MSS of TCP connections to the path's MTU. If a bridge may route to the
 *   host's loopback, which answers to it require, drops everything there but those answers: their
 *   address is the bridge's until nat has run.
 *
 * @param family Whose packet filter; the addresses are of this family.
 */
export function wantedChains(
  { networks, containers, localRoutes }: FirewallInputs,
  family: AddressFamily = "ipv4",
): OwnChain[] {
  const { one, imds, refusal, loopback } = TERMS[family];
  const bridges = [...new Set(networks.map(({ bridge }) => bridge))];
  const published = containers.filter(({ ports }) => ports.length > 0);
  const isolated = containers.filter(({ policy }) => policy.isolated);
  const rules: Record<string, readonly string[]> = {
    "filter HPK-INPUT": networks.flatMap(nameServerRules),
    "filter HPK-FORWARD": [
      ...containers.filter(({ policy }) => policy.imds).map(({ address, bridge }) =>
        `-s ${address}${one} -d ${imds} -i ${bridge} -j ACCEPT`
      ),
      ...bridges.flatMap((bridge) => [
        `-d ${imds} -i ${bridge} -p udp -m udp --dport 53 -j ACCEPT`,
        `-d ${imds} -i ${bridge} -p tcp -m tcp --dport 53 -j ACCEPT`,
        `-d ${imds} -i ${bridge} -j REJECT --reject-with ${refusal}`,
      ]),
      ...isolated.map(({ address, bridge }) =>
        `-s ${address}${one} -i ${bridge} -o ${bridge} -j HPK-ISOLATED`
      ),
      ...bridges.flatMap((bridge) => [`-i ${bridge} -j ACCEPT`, `-o ${bridge} -j ACCEPT`]),
    ],
    "filter HPK-ISOLATED": isolated.map(({ address }) => `-d ${address}${one} -j DROP`),
    "nat HPK-PREROUTING": published.flatMap((own) => portRules(own, family, false)),
    "nat HPK-OUTPUT": published.flatMap((own) => portRules(own, family, true)),
    "nat HPK-POSTROUTING": [
      ...(published.length === 0
        ? []
        : networks.map(({ bridge, subnet }) =>
          `-s ${subnet} -o ${bridge} -m conntrack --ctstate DNAT -j MASQUERADE`
        )),
      ...(published.length === 0 || loopback === null
        ? []
        : bridges.map((bridge) => `-s ${loopback} -o ${bridge} -j MASQUERADE`)),
      ...containers.filter(({ policy }) => !policy.masquerade).map(({ address }) =>
        `-s ${address}${one} -j ACCEPT`
      ),
      ...networks.filter(({ masquerade }) => masquerade)
        .flatMap((network) => masqueradeRules(network, family)),
    ],
    "mangle HPK-PREROUTING": localRoutes && loopback !== null
      ? bridges.map((bridge) => `-d ${loopback} -i ${bridge} -j DROP`)
      : [],
    "mangle HPK-FORWARD": bridges.flatMap((bridge) => [
      `-i ${bridge} ${CLAMP_MSS}`,
      `-o ${bridge} ${CLAMP_MSS}`,
    ]),
  };
  return OWN_CHAINS.map((chain) => ({ ...chain, rules: rules[`${chain.table} ${chain.name}`]! }))
    .filter((chain) => chain.rules.length > 0);
}

/**
 * Containers of this host may query our name server for all names, other hosts for those of
 * containers.
 */
function nameServerRules({ bridge, subnet, podNetwork, nameServer }: NetworkRecord): string[] {
  if (nameServer === null) return [];
  const sources = [`-d ${nameServer}/32 -i ${bridge}`];
  if (podNetwork !== subnet) sources.push(`-s ${podNetwork} -d ${nameServer}/32`);
  return sources.flatMap((source) =>
    ["udp", "tcp"].map((protocol) => `${source} -p ${protocol} -m ${protocol} --dport 53 -j ACCEPT`)
  );
}

function masqueradeRules(
  { bridge, subnet, podNetwork, uplink }: NetworkRecord,
  family: AddressFamily,
): string[] {
  return [
    `-s ${subnet} -d ${podNetwork} -j RETURN`,
    `-s ${subnet} -d ${TERMS[family].multicast} -j RETURN`,
    `-s ${subnet} ${uplink === null ? `! -o ${bridge}` : `-o ${uplink}`} -j MASQUERADE`,
  ];
}

/**
 * The rules that forward published ports to a container.
 *
 * @param fromHost For packets of the host itself; only these may use its loopback.
 */
function portRules(
  { address, ports }: FilteredContainer,
  family: AddressFamily,
  fromHost: boolean,
): string[] {
  const isIpv6 = family === "ipv6";
  return ports.flatMap((port) => {
    const { protocol, hostAddress } = port;
    if (hostAddress !== null && hostAddress.includes(":") !== isIpv6) return [];
    if (!fromHost && hostAddress?.startsWith("127.")) return [];
    const isAny = hostAddress === null || hostAddress === (isIpv6 ? "::" : "0.0.0.0");
    // A packet for IPv6's loopback cannot leave; if it is rejected, clients fall back to IPv4.
    const anyBut = isIpv6 && fromHost ? "! -d ::1/128 " : "";
    const [before, behind] = isAny
      ? [anyBut, " -m addrtype --dst-type LOCAL"]
      : [`-d ${hostAddress}${TERMS[family].one} `, ""];
    return spansOf(port).map(({ match, target }) =>
      `${before}-p ${protocol} -m ${protocol} --dport ${match}${behind} ` +
      `-j DNAT --to-destination ${target === "" ? address : bracketed(address) + target}`
    );
  });
}

/**
 * One rule suffices for a range with the same ports on both sides; otherwise each port needs one.
 */
function spansOf(port: PublishedPort): { match: string; target: string }[] {
  const { hostPort, containerPort, count } = port;
  if (count > 1 && hostPort === containerPort) {
    return [{ match: `${hostPort}:${hostPort + count - 1}`, target: "" }];
  }
  return Array.from({ length: count }, (_, index) => ({
    match: String(hostPort + index),
    target: `:${containerPort + index}`,
  }));
}

/** What iptables-save(8) shows of our chains. */
interface CurrentTable {
  /** Our chains and their rules. */
  readonly chains: Map<string, string[]>;
  /** Rules of built-in chains that jump to a chain of ours, by chain. */
  readonly jumps: Map<string, number>;
  /** All other rules. */
  foreign: number;
}

/**
 * The input of `iptables-restore --noflush` that turns the present rules into the wanted ones.
 *
 * @param saved Output of iptables-save(8), all tables.
 * @param wanted Chains as {@linkcode wantedChains} returns them; an empty list removes all of ours.
 * @param own Every chain that may be ours.
 * @return The input, or the empty string if nothing has to change.
 */
export function firewallChanges(
  saved: string,
  wanted: readonly OwnChain[],
  own: readonly OwnChainName[] = OWN_CHAINS,
): string {
  const current = parseSaved(saved, own);
  const lines = { made: [] as TableLine[], filled: [] as TableLine[], removed: [] as TableLine[] };
  for (const chain of own) {
    const { table, name, parent } = chain;
    const rules = current.get(table)?.chains.get(name);
    const jumps = current.get(table)?.jumps.get(jumpKey(parent, name)) ?? 0;
    const target = wanted.find((want) => want.table === table && want.name === name);
    const add = (to: TableLine[], texts: readonly string[]) =>
      to.push(...texts.map((text) => ({ table, text })));
    if (target === undefined) {
      const { emptied, removed } = removal(chain, rules !== undefined, jumps);
      add(lines.filled, emptied);
      add(lines.removed, removed);
    } else {
      const { made, filled } = change(target, rules, jumps);
      add(lines.made, made);
      add(lines.filled, filled);
    }
  }
  // One of our chains may jump to another: that one is created first, and removed last.
  const all = [...lines.made, ...lines.filled, ...lines.removed];
  return [...new Set(own.map(({ table }) => table))].flatMap((table) => {
    const texts = all.filter((line) => line.table === table).map(({ text }) => text);
    return texts.length === 0 ? [] : [`*${table}\n${texts.join("\n")}\nCOMMIT\n`];
  }).join("");
}

/** A line of the input of iptables-restore(8). */
interface TableLine {
  readonly table: string;
  readonly text: string;
}

/** Whether a table holds rules that are not ours: a sign that another program uses the packet filter. */
export function hasForeignRules(saved: string): boolean {
  return [...parseSaved(saved, OWN_CHAINS).values()].some((table) => table.foreign > 0);
}

function change(
  chain: OwnChain,
  rules: readonly string[] | undefined,
  jumps: number,
): { made: string[]; filled: string[] } {
  const same = rules !== undefined && rules.length === chain.rules.length &&
    rules.every((rule, index) => rule === chain.rules[index]);
  const filled = same ? [] : chain.rules.map((rule) => `-A ${chain.name} ${rule}`);
  if (chain.parent !== null) {
    if (jumps === 0) filled.push(`-I ${chain.parent} 1 -j ${chain.name}`);
    for (let extra = 1; extra < jumps; extra++) filled.push(`-D ${chain.parent} -j ${chain.name}`);
  }
  return { made: same ? [] : [`:${chain.name} - [0:0]`], filled };
}

function removal(
  chain: OwnChainName,
  exists: boolean,
  jumps: number,
): { emptied: string[]; removed: string[] } {
  if (!exists) return { emptied: [], removed: [] };
  return {
    emptied: [
      ...Array.from({ length: jumps }, () => `-D ${chain.parent} -j ${chain.name}`),
      `-F ${chain.name}`,
    ],
    removed: [`-X ${chain.name}`],
  };
}

function jumpKey(parent: string | null, name: string): string {
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
