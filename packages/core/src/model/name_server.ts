/**
 * Names of containers: the configuration of the host's name server, dnsmasq(8), and how it gets the
 * names of other hosts' containers. Each container has an entry in the form of hosts(5) in a
 * directory that dnsmasq watches. All containers of a host are also listed under one name, so that
 * another host can query all addresses, and then the name of each.
 */

import { type Cidr, contains, covers, formatIpv4, type Ipv4, parseIpv4 } from "./ipv4.ts";
import { type Cidr6, covers6, parseCidr6 } from "./ipv6.ts";
import { hostNameOf, isContainerName } from "./names.ts";

/** The domain of the containers. */
export const NAME_DOMAIN = "hpk";

/** The name that has the addresses of all containers of a host; no container can have this name. */
export const NAME_OF_ALL = `_all.${NAME_DOMAIN}`;

/** The files of the name server. */
export interface NameServerPaths {
  /** Directory of the entries. */
  readonly names: string;
  /** Its pid file. */
  readonly pidFile: string;
  /** The host's resolv.conf(5), whose servers it uses. */
  readonly resolvConf: string;
}

/**
 * Arguments for dnsmasq(8). It reads no configuration of the host, listens on the gateway addresses
 * only, and forwards every other name to the host's servers. If containers on several hosts have
 * the same name, the local one wins.
 *
 * @param addresses The gateway addresses.
 */
export function nameServerArguments(
  addresses: readonly string[],
  { names, pidFile, resolvConf }: NameServerPaths,
): string[] {
  return [
    "--conf-file=",
    `--pid-file=${pidFile}`,
    ...addresses.map((address) => `--listen-address=${address}`),
    "--bind-interfaces",
    "--no-hosts",
    `--hostsdir=${names}`,
    `--local=/${NAME_DOMAIN}/`,
    "--domain-needed",
    "--localise-queries",
    `--resolv-file=${resolvConf}`,
    "--cache-size=1000",
    "--log-facility=/dev/null",
  ];
}

/**
 * The names of a container, the fully qualified one first: its name and its host name, in the
 * domain, and also without the domain if that cannot be confused with an outside name.
 */
export function namesOfContainer(name: string): string[] {
  const own = [...new Set([name, hostNameOf(name)])].filter((text) => text !== "");
  const short = own.filter((text) => !text.includes(".") && text.toLowerCase() !== "localhost");
  return [...own.map((text) => `${text}.${NAME_DOMAIN}`), ...short];
}

/**
 * A container's entry.
 *
 * @param address Its address.
 * @param name Its name.
 * @param isOwn Whether it is on this host, and so is listed under the common name.
 */
export function formatNameEntry(address: string, name: string, isOwn: boolean): string {
  const names = [...namesOfContainer(name), ...(isOwn ? [NAME_OF_ALL] : [])];
  return `${address}\t${names.join(" ")}\n`;
}

/** Another host of the pod network, according to the routes. */
export interface Peer {
  readonly subnet: Cidr;
  /** Address of its name server: the first one of the subnet. */
  readonly gateway: Ipv4;
}

/**
 * Finds the other hosts: flanneld adds a route to the subnet of each.
 *
 * @param routes Contents of /proc/net/route (proc_pid_net(5)), as a little-endian kernel writes it.
 * @param podNetwork The network of all hosts.
 * @param own This host's subnets.
 */
export function peersOf(routes: string, podNetwork: Cidr, own: readonly Cidr[]): Peer[] {
  const peers = routes.split("\n").slice(1).flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const network = hexAddress(fields[1]);
    const mask = hexAddress(fields[7]);
    if (network === undefined || mask === undefined) return [];
    const prefix = 32 - Math.log2(2 ** 32 - mask);
    if (!Number.isInteger(prefix) || prefix <= podNetwork.prefix || prefix > 30) return [];
    const subnet = { network, prefix };
    const isPeer = covers(podNetwork, subnet) && !own.some((cidr) => contains(cidr, network));
    return isPeer ? [{ subnet, gateway: network + 1 }] : [];
  });
  return [...new Map(peers.map((peer) => [peer.gateway, peer])).values()];
}

function hexAddress(text: string | undefined): Ipv4 | undefined {
  if (text === undefined || !/^[0-9A-F]{8}$/.test(text)) return undefined;
  return text.match(/../g)!.reduceRight((sum, byte) => sum * 256 + parseInt(byte, 16), 0);
}

/** Another host's answers about a container. */
export interface PeerAnswer {
  readonly address: string;
  /** Its name, according to a PTR record. */
  readonly name: string;
  /** Its IPv6 addresses. */
  readonly addresses6: readonly string[];
}

/**
 * The entries for another host's answers. Answers that no container of that host can have are
 * ignored: IPv4 addresses outside its subnet, IPv6 addresses outside the pod network or in this
 * host's part of it, and invalid names. So no host can speak for this one or for outside names.
 *
 * @param podNetwork6 The IPv6 network of all hosts; undefined without IPv6.
 * @param own6 This host's IPv6 subnets.
 */
export function formatPeerEntries(
  { subnet }: Peer,
  answers: readonly PeerAnswer[],
  podNetwork6: Cidr6 | undefined,
  own6: readonly Cidr6[],
): string {
  return answers.flatMap(({ address, name, addresses6 }) => {
    const parsed = parseIpv4(address);
    const own = name.replace(/\.$/, "");
    const container = own.endsWith(`.${NAME_DOMAIN}`) ? own.slice(0, -NAME_DOMAIN.length - 1) : "";
    if (parsed === undefined || !contains(subnet, parsed) || !isContainerName(container)) return [];
    const accepted6 = addresses6.filter((text) => {
      const address6 = parseCidr6(`${text}/128`);
      return address6 !== undefined && podNetwork6 !== undefined &&
        covers6(podNetwork6, address6) && !own6.some((cidr) => covers6(cidr, address6));
    });
    return [formatIpv4(parsed), ...accepted6].map((text) =>
      formatNameEntry(text, container, false)
    );
  }).sort().join("");
}

/** The name of an IPv4 address's PTR record (RFC 1035, section 3.5). */
export function reverseName(address: string): string {
  return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
}
