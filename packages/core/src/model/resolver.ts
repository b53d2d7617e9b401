import { parseIpv4 } from "./ipv4.ts";
import { NAME_DOMAIN } from "./name_server.ts";

/** The settings for a container's /etc/resolv.conf (resolv.conf(5)). */
export interface ResolverConfig {
  /** Addresses of the servers, in order of preference. */
  readonly servers: readonly string[];
  /** Domains tried for a name without a dot. */
  readonly search: readonly string[];
  /** Options such as "ndots:2". */
  readonly options: readonly string[];
}

/** Parses resolv.conf(5). Unknown lines are ignored, as by the resolver itself. */
export function parseResolvConf(text: string): ResolverConfig {
  const servers: string[] = [];
  const options: string[] = [];
  let search: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [keyword, ...words] = line.replace(/[#;].*$/, "").trim().split(/\s+/);
    if (keyword === "nameserver" && words[0] !== undefined) servers.push(words[0]);
    if (keyword === "search" || keyword === "domain") search = words;
    if (keyword === "options") options.push(...words);
  }
  return { servers, search, options };
}

/** Whether only the host itself can reach an address (RFC 1122 127/8, RFC 4291 ::1). */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/**
 * The servers that a container can use: the host's, except those on its loopback, since a container
 * has a loopback of its own.
 */
export function containerResolver(host: ResolverConfig, own: readonly string[]): ResolverConfig {
  const servers = own.length > 0 ? own : host.servers.filter((server) => !isLoopback(server));
  return { ...host, servers };
}

/**
 * Settings for a container that uses the host's name server: the containers' domain comes first.
 */
export function namedResolver(host: ResolverConfig, nameServer: string): ResolverConfig {
  const search = [NAME_DOMAIN, ...host.search.filter((domain) => domain !== ".")];
  return { ...host, search, servers: [nameServer] };
}

/** Formats resolv.conf(5). */
export function formatResolvConf(config: ResolverConfig): string {
  return [
    ...(config.search.length > 0 ? [`search ${config.search.join(" ")}`] : []),
    ...config.servers.map((server) => `nameserver ${server}`),
    ...(config.options.length > 0 ? [`options ${config.options.join(" ")}`] : []),
  ].map((line) => line + "\n").join("");
}

/**
 * Formats a container's /etc/hosts (hosts(5)): loopback, the container itself, then the host's own
 * entries, which users of a cluster rely on for login and storage nodes. Entries for the host's
 * loopback, and for the container's own names, are left out.
 *
 * @param hostsFile The host's /etc/hosts.
 * @param addresses The container's addresses.
 * @param names The container's names, host name first.
 * @param others Lines for other containers.
 */
export function formatHosts(
  hostsFile: string,
  addresses: readonly string[],
  names: readonly string[],
  others: readonly string[] = [],
): string {
  const unique = [...new Set(names)];
  const kept = hostsFile.split(/\r?\n/).flatMap((line) => {
    const [entry, ...rest] = line.replace(/#.*$/, "").trim().split(/\s+/);
    const aliases = rest.filter((name) => !unique.includes(name));
    if (entry === undefined || aliases.length === 0 || isLoopback(entry)) return [];
    if (!entry.includes(":") && parseIpv4(entry) === undefined) return [];
    return [`${entry}\t${aliases.join(" ")}`];
  });
  return [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    ...addresses.map((address) => `${address}\t${unique.join(" ")}`),
    ...others.map((line) => line + OTHERS_MARK),
    ...kept,
  ].map((line) => line + "\n").join("");
}

/** Suffix of each line of a hosts file that belongs to another container. */
const OTHERS_MARK = " # hpktainer";

/** Replaces the lines of other containers in a file that {@linkcode formatHosts} has written. */
export function replaceHostsEntries(hostsFile: string, others: readonly string[]): string {
  const kept = hostsFile.split("\n").filter((line) => line !== "" && !line.endsWith(OTHERS_MARK));
  return [...kept, ...others.map((line) => line + OTHERS_MARK)].map((line) => line + "\n").join("");
}
