/**
 * Names of containers: what the host's name server, dnsmasq(8), is told, and how it learns the names
 * that other hosts have. Each container has an entry in the form of hosts(5) in a directory that
 * dnsmasq watches. All containers of a host are also listed under one name, so that another host can
 * ask for all addresses, and then for the name of each.
 */

import { type Cidr, contains, covers, formatIpv4, type Ipv4, parseIpv4 } from "./ipv4.ts";
import { type Cidr6, covers6, parseCidr6 } from "./ipv6.ts";
import { hostNameOf, isContainerName } from "./names.ts";

/** The domain that containers are in. */
export const NAME_DOMAIN = "hpk";

/** The name that has the addresses of all containers of a host; no container can be called so. */
export const NAME_OF_ALL = `_all.${NAME_DOMAIN}`;

/** Where the name server finds what it needs. */
export interface NameServerPaths {
  /** Directory of the entries. */
  readonly names: string;
  /** File that it writes its pid to. */
  readonly pidFile: string;
  /** The host's resolv.conf(5), which it follows. */
  readonly resolvConf: string;
}

/**
 * Arguments for dnsmasq(8). It reads no configuration of the host's own, listens on the gateway
 * addresses only, and asks the host's servers for every other name. Of containers that bear the same
 * name on several hosts, the one on this host is answered.
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
 * The names under which a container is found, the full name first: by its name and by its host name,
 * in the domain, and also without it where that cannot be mistaken for a name of the outside.
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
 * @param isOwn Whether it is on this host, and so is listed among all.
 */
export function formatNameEntry(address: string, name: string, isOwn: boolean): string {
  const names = [...namesOfContainer(name), ...(isOwn ? [NAME_OF_ALL] : [])];
  return `${address}\t${names.join(" ")}\n`;
}

/** Another host of the pod network, as the routes tell. */
export interface Peer {
  readonly subnet: Cidr;
  /** Where its name server listens: the first address of the subnet. */
  readonly gateway: Ipv4;
}

/**
 * Finds the other hosts: flanneld makes a route to the subnet of each.
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

/** What another host has answered of a container. */
export interface PeerAnswer {
  readonly address: string;
  /** Its name, as a PTR record gives it. */
  readonly name: string;
  /** Its IPv6 addresses. */
  readonly addresses6: readonly string[];
}

/**
 * The entries for what another host has answered. IPv4 addresses outside of its subnet, IPv6 addresses
 * outside of the pod network or in this host's part of it, and what cannot be a container's name are
 * passed over, so that no host can speak for this one or for the outside.
 *
 * @param podNetwork6 The IPv6 network of all hosts; undefined where there is none.
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

/** The name that a PTR record of an IPv4 address has (RFC 1035, section 3.5). */
export function reverseName(address: string): string {
  return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
}
