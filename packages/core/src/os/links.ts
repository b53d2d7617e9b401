/**
 * Links of the host and of containers, by rtnetlink(7): a start runs four processes of ip(8) less, and
 * errors are the kernel's numbers. What is done once on a host, or seldom, is done by ip(8): iproute.ts.
 */

import type { HostFacts, Link, Route } from "../model/host_facts.ts";
import type { InterfaceAddress, Ipv4 } from "../model/ipv4.ts";
import type { InterfaceAddress6, Ipv6 } from "../model/ipv6.ts";
import {
  type IndexedLink,
  type IndexedRoute,
  readAddress,
  readLink,
  readRoute,
} from "../model/link_answers.ts";
import * as request from "../model/link_requests.ts";
import { isHostLinkName } from "../model/names.ts";
import { EAFNOSUPPORT, EINVAL, ENODEV, ENOENT, SystemCallError } from "../ffi/errno.ts";
import { detachMount } from "../ffi/mount.ts";
import { createNetNamespace, inNetNamespace, openNamespace } from "../ffi/net_namespace.ts";
import { NetlinkSocket } from "../ffi/netlink_socket.ts";
import { removeIfExists } from "./files.ts";
import { NAMESPACE_DIRECTORY } from "./iproute.ts";
import { ask } from "./netlink_request.ts";

/**
 * Reads the host's IPv4 routes and its links, except those of containers: reading a thousand of
 * these would take longer than everything else, and none of them is needed.
 *
 * @param names Links to read in any case, if they exist.
 * @throws {SystemCallError} If the kernel refuses.
 */
export function readHostFacts(names: readonly string[]): HostFacts {
  using socket = new NetlinkSocket("route");
  const links = readLinks(socket, names);
  const known = new Map(links.map(({ index, link }) => [index, link]));
  const addresses = ask(socket, request.getAddresses()).flatMap((answer) =>
    readAddress(answer) ?? []
  );
  const routes = ask(socket, request.getRoutes()).flatMap((answer) => readRoute(answer) ?? []);
  const addressesOf = (index: number): InterfaceAddress[] =>
    addresses.filter((one) => one.index === index).map(({ address }) => address);
  return {
    links: links.map(({ index, link }): Link => ({ ...link, addresses: addressesOf(index) })),
    routes: routes.flatMap((route) => withDevice(socket, known, route)),
  };
}

/**
 * Reads the host's IPv4 routes of all tables.
 *
 * @throws {SystemCallError} When the kernel refuses to tell.
 */
export function readAllRoutes(): Route[] {
  using socket = new NetlinkSocket("route");
  const answers = ask(socket, request.getRoutes());
  const known = new Map(
    ask(socket, request.getLinks()).map(readLink)
      .map(({ index, link }) => [index, link]),
  );
  return answers.flatMap((answer) => readRoute(answer, true) ?? [])
    .flatMap((route) => withDevice(socket, known, route));
}

/** A route with its link's name. */
function withDevice(
  socket: NetlinkSocket,
  known: ReadonlyMap<number, Omit<Link, "addresses">>,
  { destination, metric, index }: IndexedRoute,
): Route[] {
  if (index === undefined) return [{ destination, metric, device: undefined }];
  const device = (known.get(index) ?? linkOfIndex(socket, index))?.name;
  // A link that was deleted between the two reads, such as our bridge with its last container, takes
  // its routes with it.
  return device === undefined ? [] : [{ destination, metric, device }];
}

/** Number of links from which on all are read at once. */
const MOST_ASKED_FOR = 64;

function readLinks(socket: NetlinkSocket, names: readonly string[]): IndexedLink[] {
  const wanted = linkNames().filter((name) => !isHostLinkName(name) || names.includes(name));
  return wanted.length <= MOST_ASKED_FOR
    ? wanted.flatMap((name) => linkOf(socket, name) ?? [])
    : ask(socket, request.getLinks()).map(readLink);
}

/** Names of all links of this network namespace (proc(5), /proc/net/dev). */
function linkNames(): string[] {
  const lines = Deno.readTextFileSync("/proc/thread-self/net/dev").split("\n");
  return lines.flatMap((line) => /^\s*([^\s:]+):/.exec(line)?.[1] ?? []);
}

/** Reads a link; undefined if there is none, or it is deleted at this moment. */
function linkOf(socket: NetlinkSocket, link: string | number): IndexedLink | undefined {
  try {
    const [answer] = ask(socket, request.getLink(link));
    return answer === undefined ? undefined : readLink(answer);
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === ENODEV) return undefined;
    throw error;
  }
}

function linkOfIndex(socket: NetlinkSocket, index: number): Omit<Link, "addresses"> | undefined {
  return linkOf(socket, index)?.link;
}

/** Index of a link that must exist. */
function indexOf(socket: NetlinkSocket, name: string): number {
  const [answer] = ask(socket, request.getLink(name), `find the link ${name}`);
  return readLink(answer!).index;
}

/** A container's link to create: a veth pair between a bridge and a network namespace. */
export interface ContainerLink {
  /** Name of the end on the bridge. */
  readonly name: string;
  readonly bridge: string;
  /** MTU of both ends, in bytes. */
  readonly mtu: number;
  /** Path of the network namespace. */
  readonly namespace: string;
}

/**
 * Creates a container's link. The end on the bridge is set up, the one in the namespace, "eth0", is
 * not.
 *
 * @throws {SystemCallError} If it cannot be created, for example because its name is taken.
 */
export function makeContainerLink({ name, bridge, mtu, namespace }: ContainerLink): void {
  using socket = new NetlinkSocket("route");
  using peer = openNamespace(namespace);
  const message = request.newVethPair({
    name,
    mtu,
    master: indexOf(socket, bridge),
    peer: { name: "eth0", namespace: peer.fd },
  });
  ask(socket, message, `create the link ${name}`);
  const index = indexOf(socket, name);
  // Packets for such an address would flood all containers; nothing calls a port of a bridge.
  omitLinkLocalAddress(socket, index);
  ask(socket, request.setLinkUp(index), `set up the link ${name}`);
}

function omitLinkLocalAddress(socket: NetlinkSocket, index: number): void {
  try {
    ask(socket, request.withoutLinkLocalAddress(index));
  } catch (error) {
    // A kernel without IPv6 generates none.
    if (!(error instanceof SystemCallError && error.errno === EAFNOSUPPORT)) throw error;
  }
}

/** Attaches a link to a bridge, and sets it up. */
export function joinBridge(name: string, bridge: string): void {
  using socket = new NetlinkSocket("route");
  const master = indexOf(socket, bridge);
  ask(socket, request.setLinkUp(indexOf(socket, name), { master }), `set up the link ${name}`);
}

/**
 * Creates a named network namespace, as `ip netns add` does.
 *
 * @throws {SystemCallError} If it cannot be created, for example because its name is taken.
 */
export function createNamespace(name: string): void {
  Deno.mkdirSync(NAMESPACE_DIRECTORY, { recursive: true, mode: 0o755 });
  createNetNamespace(NAMESPACE_DIRECTORY, name);
}

/**
 * Removes a network namespace's name, as `ip netns delete` does; the namespace goes with its last
 * process. It is not an error if the name does not exist.
 *
 * @throws {Error} If it cannot be removed.
 */
export function removeNamespace(name: string): void {
  const path = `${NAMESPACE_DIRECTORY}/${name}`;
  try {
    detachMount(path);
  } catch (error) {
    // EINVAL: a file on which nothing is mounted, left by a start that was cut short.
    const isGone = error instanceof SystemCallError && [ENOENT, EINVAL].includes(error.errno);
    if (!isGone) throw error;
  }
  removeIfExists(path);
}

/** Configuration of an interface in a container. */
export interface InterfaceSetup {
  /** Hardware address, such as "0a:58:0a:60:00:02". */
  readonly mac: string;
  readonly address: InterfaceAddress;
  readonly gateway: Ipv4;
  /** The same for IPv6; undefined if the container has none. */
  readonly ipv6: { readonly address: InterfaceAddress6; readonly gateway: Ipv6 } | undefined;
}

/**
 * Sets up `lo` in a network namespace, and configures "eth0".
 *
 * @param namespace Path of the network namespace.
 * @param setup Undefined if the container creates its interface itself.
 * @throws {SystemCallError} If the kernel refuses.
 */
export function setUpInterfaces(namespace: string, setup: InterfaceSetup | undefined): void {
  using socket = inNetNamespace(namespace, () => new NetlinkSocket("route"));
  ask(socket, request.setLinkUp(request.LOOPBACK_INDEX), "set lo up");
  if (setup === undefined) return;
  const index = indexOf(socket, "eth0");
  const { mac, address, gateway, ipv6 } = setup;
  if (ipv6 === undefined) omitLinkLocalAddress(socket, index);
  ask(socket, request.setLinkUp(index, { mac }), "set eth0 up");
  ask(socket, request.addAddress(index, address), "add the address of eth0");
  ask(socket, request.addDefaultRoute(index, gateway), "add the default route");
  if (ipv6 === undefined) return;
  ask(socket, request.addAddress6(index, ipv6.address), "add the IPv6 address of eth0");
  ask(socket, request.addDefaultRoute(index, ipv6.gateway), "add the IPv6 default route");
}

/** Group of the links that are being deleted (ip-link(8), "group"): a number that no one else uses. */
const DELETION_GROUP = 0x68706b;

/** How many links one request deletes: other changes of links wait in the kernel until it is done. */
const MOST_DELETED = 128;

/**
 * Deletes links. It is not an error if one does not exist.
 *
 * Several links are put into one group, which a single request deletes: for each request the kernel waits
 * for an RCU grace period, which takes longer than everything else.
 *
 * @return The errors, by the name of the link.
 */
export function removeLinks(names: readonly string[]): Map<string, SystemCallError> {
  using socket = new NetlinkSocket("route");
  const errors = new Map<string, SystemCallError>();
  for (let start = 0; start < names.length; start += MOST_DELETED) {
    const some = names.slice(start, start + MOST_DELETED);
    if (some.length > 1 && removeAsGroup(socket, some)) continue;
    for (const name of some) {
      const error = refusal(() => ask(socket, request.deleteLink(name), `delete the link ${name}`));
      if (error !== undefined) errors.set(name, error);
    }
  }
  return errors;
}

/** Deletes links by a group. @return False if the kernel refuses; then each has to be tried. */
function removeAsGroup(socket: NetlinkSocket, names: readonly string[]): boolean {
  const isGrouped = names.every((name) =>
    refusal(() => ask(socket, request.setLinkGroup(name, DELETION_GROUP))) === undefined
  );
  return isGrouped &&
    refusal(() => ask(socket, request.deleteLinkGroup(DELETION_GROUP))) === undefined;
}

/** Makes a request about a link. @return Its error, unless the link does not exist. */
function refusal(run: () => void): SystemCallError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return error.errno === ENODEV ? undefined : error;
  }
}
