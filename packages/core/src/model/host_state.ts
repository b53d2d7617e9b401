/**
 * The state of a host's network, as far as a process in its network namespace could change it, and
 * the difference between two such states. Counters, timers and indices are left out: two states are
 * equal exactly if an administrator would say so.
 */

/** The parts of a state, in the order in which they are reported. */
const HOST_STATE_PARTS = [
  "link",
  "address",
  "route",
  "rule",
  "packet filter",
  "sysctl",
  "resolv.conf",
] as const;

/** A part of a state. */
export type HostStatePart = typeof HOST_STATE_PARTS[number];

/** For each part, its things by name, such as "eth0", each with its settings as text. */
export type HostState = Readonly<Record<HostStatePart, ReadonlyMap<string, string>>>;

/** A difference between two states. */
export interface HostDifference {
  /** Part of the state that it is in, such as "addresses". */
  readonly part: HostStatePart;
  /** Name of the thing, such as "eth0" or "net.ipv4.ip_forward". */
  readonly name: string;
  /** Its settings before; null if it did not exist. */
  readonly before: string | null;
  /** Its settings now; null if it does not exist. */
  readonly after: string | null;
}

/** The tools' output that a state is read from. */
export interface HostStateSources {
  /** `ip -json -details address show`: links with their addresses. */
  readonly links: string;
  /** `ip -json route show table all` by address family, such as "ipv4". */
  readonly routes: Readonly<Record<string, string>>;
  /** `ip -json rule show` by address family. */
  readonly rules: Readonly<Record<string, string>>;
  /** Output of `iptables-save` and `ip6tables-save` by name; empty if one is not installed. */
  readonly iptables: Readonly<Record<string, string>>;
  /** `nft -json list ruleset`; empty if nft is not installed. */
  readonly nftables: string;
  /** Values below /proc/sys/net by name, such as "net.ipv4.ip_forward". */
  readonly sysctls: ReadonlyMap<string, string>;
  /** Contents of /etc/resolv.conf; undefined if it does not exist. */
  readonly resolver: string | undefined;
}

/**
 * Reads a state from the output of the tools.
 *
 * @throws {SyntaxError} If something is not JSON.
 */
export function parseHostState(sources: HostStateSources): HostState {
  const links = objectsOf(sources.links);
  return {
    link: new Map(links.map((link) => [nameOf(link), settingsOf(link, LINK_NAMES)])),
    address: gather(links.flatMap(addressesOf)),
    route: gather(byFamily(sources.routes, routeOf)),
    rule: gather(byFamily(sources.rules, ruleOf)),
    "packet filter": packetFilterOf(sources),
    sysctl: new Map(
      [...sources.sysctls].filter(([name]) => !VOLATILE_SYSCTLS.test(name)),
    ),
    "resolv.conf": new Map(
      sources.resolver === undefined ? [] : [["/etc/resolv.conf", sources.resolver.trimEnd()]],
    ),
  };
}

/**
 * Compares two states.
 *
 * @param isOwn Whether a link comes and goes because of us, such as another container's: it is left
 * out, with everything that belongs to it.
 */
export function compareHostStates(
  before: HostState,
  after: HostState,
  isOwn: (link: string) => boolean = () => false,
): HostDifference[] {
  const isLasting = (link: string) => before.link.has(link) && after.link.has(link);
  return HOST_STATE_PARTS.flatMap((part) => {
    const names = new Set([...before[part].keys(), ...after[part].keys()]);
    return [...names].sort().flatMap((name): HostDifference[] => {
      const was = before[part].get(name) ?? null;
      const is = after[part].get(name) ?? null;
      const link = linkOf(part, name, isKnown(before, after));
      if (was === is || (link !== undefined && isOwn(link))) return [];
      // A link has a hundred settings: if it is new, or gone, that is reported once.
      if (part === "sysctl" && link !== undefined && !isLasting(link)) return [];
      return [{ part, name, before: was, after: is }];
    });
  });
}

function isKnown(...states: HostState[]): (link: string) => boolean {
  return (link) => states.some((state) => state.link.has(link));
}

/** Formats one difference as a line: "sysctl net.ipv4.ip_forward was 1 and is 0". */
export function formatHostDifference({ part, name, before, after }: HostDifference): string {
  const thing = `${part} ${name}`;
  if (before === null) return `${thing} is new${shown(": ", after)}`;
  if (after === null) return `${thing} is gone${shown(", it was ", before)}`;
  const [was, is] = part === "link" ? changedWords(before, after) : [before, after];
  return `${thing} was ${oneLineOf(was)} and is ${oneLineOf(is)}`;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields of a link that its name or other parts cover, or that are left out. */
const LINK_NAMES = /^(ifname|addr_info|ifindex|link|link_index|link_netnsid|stats|stats64)$/;

/**
 * Fields that change by themselves: timers, counters and numbers of the kernel (ip-link(8), ip-route(8)).
 */
const VOLATILE =
  /^(ifindex|link_index|link_netnsid|\w*_timer|\w+_life_time|tentative|cacheinfo|expires|used|topology_change\w*|port_id|port_no|bridge_id|root_id|designated_\w+)$/;

/** Entries below net that are counters of the kernel, not settings. */
const VOLATILE_SYSCTLS = /^net\.(netfilter\.nf_conntrack_count|.*\.nf_conntrack_count)$/;

function objectsOf(text: string): Fields[] {
  if (text.trim() === "") return [];
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new SyntaxError("not a list");
  // ip(8) prints empty objects for entries that its filter leaves out.
  return value.filter((entry): entry is Fields =>
    typeof entry === "object" && entry !== null && Object.keys(entry).length > 0
  );
}

function byFamily(
  texts: Readonly<Record<string, string>>,
  describe: (fields: Fields) => [string, string],
): [string, string][] {
  return Object.entries(texts).flatMap(([family, text]) =>
    objectsOf(text).filter((fields) => !followsFromAddress(fields)).map(
      (fields): [string, string] => {
        const [name, settings] = describe(fields);
        return [`${family} ${name}`, settings];
      },
    )
  );
}

/**
 * The kernel adds its own routes to local addresses with the addresses, for IPv6 a moment later.
 */
function followsFromAddress(fields: Fields): boolean {
  return fields["table"] === "local" && fields["protocol"] === "kernel";
}

function nameOf(link: Fields): string {
  return String(link["ifname"]);
}

function addressesOf(link: Fields): [string, string][] {
  const addresses = link["addr_info"];
  if (!Array.isArray(addresses)) return [];
  return (addresses as Fields[]).filter((address) => address["local"] !== undefined)
    .map((address) => [
      `${nameOf(link)} ${address["local"]}/${address["prefixlen"]}`,
      settingsOf(address, /^(local|prefixlen)$/),
    ]);
}

function routeOf(route: Fields): [string, string] {
  const words = [
    String(route["dst"]),
    ...["table", "gateway", "dev"].flatMap((key) =>
      route[key] === undefined ? [] : [key === "gateway" ? "via" : key, String(route[key])]
    ),
  ];
  return [words.join(" "), settingsOf(route, /^(dst|table|gateway|dev)$/)];
}

function ruleOf(rule: Fields): [string, string] {
  return [`${rule["priority"]}`, settingsOf(rule, /^priority$/)];
}

/** Things by name; the texts of several with one name, as routes and rules may have, are joined. */
function gather(entries: readonly (readonly [string, string])[]): Map<string, string> {
  const found = new Map<string, string[]>();
  for (const [name, text] of entries) found.set(name, [...found.get(name) ?? [], text]);
  return new Map([...found].map(([name, texts]) => [name, texts.sort().join(" | ")]));
}

function settingsOf(fields: Fields, without: RegExp): string {
  return flatten(fields, "").filter(([name]) => !without.test(name.split(".")[0]!))
    .map(([name, value]) => `${name}=${value}`).join(" ");
}

function flatten(fields: Fields, prefix: string): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]): [string, string][] => {
    if (VOLATILE.test(name)) return [];
    if (Array.isArray(value)) return [[prefix + name, value.map(textOf).join(",")]];
    if (typeof value === "object" && value !== null) {
      return flatten(value as Fields, `${prefix}${name}.`);
    }
    return [[prefix + name, String(value)]];
  });
}

function textOf(value: unknown): string {
  return typeof value === "object" && value !== null
    ? `{${flatten(value as Fields, "").map(([name, text]) => `${name}=${text}`).join(" ")}}`
    : String(value);
}

function packetFilterOf(sources: HostStateSources): Map<string, string> {
  const found = new Map<string, string>();
  for (const [tool, text] of Object.entries(sources.iptables)) {
    for (const [name, rules] of rulesByChain(text)) found.set(`${tool} ${name}`, rules);
  }
  for (const [name, rules] of nftablesByTable(sources.nftables)) found.set(`nft ${name}`, rules);
  return found;
}

/** Prefix of our own chains, which come and go with containers. */
const OWN_CHAIN = /(^:| |-A |-j )HPK-/;

/**
 * Rules of `iptables-save` by table and chain, without counters, our own, and empty chains that
 * accept.
 */
function rulesByChain(text: string): Map<string, string> {
  let table = "";
  const found = new Map<string, string[]>();
  for (const raw of text.split("\n")) {
    const line = raw.replaceAll(/\[\d+:\d+\]/g, "").trim();
    if (line.startsWith("*")) table = line.slice(1);
    const chain = /^(?::|-A )(\S+)/.exec(line)?.[1];
    if (chain === undefined || OWN_CHAIN.test(line) || /^:[A-Z]+ ACCEPT$/.test(line)) continue;
    const name = `${table} ${chain}`;
    found.set(name, [...found.get(name) ?? [], line]);
  }
  return new Map([...found].map(([name, lines]) => [name, lines.join("; ")]));
}

/**
 * Tables of `nft -json list ruleset` (libnftables-json(5)) that iptables does not show, as JSON without
 * handles and counters.
 */
function nftablesByTable(text: string): Map<string, string> {
  if (text.trim() === "") return new Map();
  const list = (JSON.parse(text) as { nftables?: Fields[] }).nftables ?? [];
  const found = new Map<string, string[]>();
  for (const entry of list) {
    const [kind, fields] = Object.entries(entry)[0] as [string, Fields];
    if (kind === "metainfo") continue;
    const name = `${fields["family"]} ${kind === "table" ? fields["name"] : fields["table"]}`;
    if (IPTABLES_TABLE.test(name)) continue;
    found.set(name, [...found.get(name) ?? [], JSON.stringify({ [kind]: fields }, withoutCounts)]);
  }
  return new Map([...found].map(([name, parts]) => [name, parts.join(" ")]));
}

/** Tables that belong to iptables-nft, which iptables-save shows. */
const IPTABLES_TABLE = /^(ip|ip6) (filter|nat|mangle|raw|security)$/;

function withoutCounts(key: string, value: unknown): unknown {
  return ["handle", "packets", "bytes", "expires"].includes(key) ? undefined : value;
}

/** The known link that something belongs to, if any. */
function linkOf(
  part: HostStatePart,
  name: string,
  isLink: (name: string) => boolean,
): string | undefined {
  const link = LINK_IN_NAME[part]?.exec(name)?.[1];
  return link !== undefined && isLink(link) ? link : undefined;
}

const LINK_IN_NAME: Readonly<Partial<Record<HostStatePart, RegExp>>> = {
  "link": /^(.*)$/,
  "address": /^(\S+) /,
  "route": / dev (\S+)/,
  "sysctl": /\.(?:conf|neigh)\.(.+)\.[^.]+$/,
};

/** The words of a link's settings that the other text lacks. */
function changedWords(before: string, after: string): [string, string] {
  const [was, is] = [before.split(" "), after.split(" ")];
  const only = (words: string[], other: string[]): string =>
    words.filter((word) => !other.includes(word)).join(" ") || "unset";
  return [only(was, is), only(is, was)];
}

/** Longest setting that is shown, in characters. */
const SHOWN = 200;

function shown(before: string, text: string | null): string {
  return text === null || text === "" ? "" : before + oneLineOf(text);
}

function oneLineOf(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}
