/**
 * Requests to the kernel about links, addresses and routes, as messages of rtnetlink(7).
 */

import { broadcastOf, type InterfaceAddress, type Ipv4 } from "./ipv4.ts";
import type { InterfaceAddress6, Ipv6 } from "./ipv6.ts";
import {
  encodeAttributes,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  textAttribute,
  uint32Attribute,
} from "./netlink.ts";

/** Types of messages (linux/rtnetlink.h). */
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;

/** Address families (linux/socket.h). */
const AF_UNSPEC = 0;
const AF_INET = 2;
const AF_INET6 = 10;

/** A link is up (linux/if.h). */
const IFF_UP = 1;

/** Attributes of links (linux/if_link.h). */
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_AF_SPEC = 26;
const IFLA_GROUP = 27;
const IFLA_NET_NS_FD = 28;
const IFLA_EXT_MASK = 29;
const VETH_INFO_PEER = 1;
/** Generates no link-local address for IPv6 (RFC 4862, 5.3). */
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
/** Leaves the counters out of an answer about a link. */
const RTEXT_FILTER_SKIP_STATS = 8;

/** Attributes and flags of addresses (linux/if_addr.h). */
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_F_NODAD = 0x02;

/** Attributes and values of routes (linux/rtnetlink.h). */
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RTN_UNICAST = 1;

/** Index of `lo` in every network namespace. */
export const LOOPBACK_INDEX = 1;

/** Requests a link by its name, or by its index. */
export function getLink(link: string | number): NetlinkMessage {
  const name = typeof link === "string" ? [textAttribute(IFLA_IFNAME, link)] : [];
  return {
    type: RTM_GETLINK,
    flags: NLM_F_ACK,
    header: linkHeader(typeof link === "string" ? 0 : link, 0),
    attributes: [...name, uint32Attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)],
  };
}

/** Requests all links. */
export function getLinks(): NetlinkMessage {
  return { ...getLink(0), flags: NLM_F_DUMP };
}

/** Requests the IPv4 addresses of all links. */
export function getAddresses(): NetlinkMessage {
  return { type: RTM_GETADDR, flags: NLM_F_DUMP, header: addressHeader(AF_INET), attributes: [] };
}

/** Requests all IPv4 routes. */
export function getRoutes(): NetlinkMessage {
  return { type: RTM_GETROUTE, flags: NLM_F_DUMP, header: routeHeader(AF_INET), attributes: [] };
}

/** A veth pair, veth(4). */
export interface VethPair {
  /** Name of the end that stays in this namespace. */
  readonly name: string;
  /** Index of the bridge to attach that end to. */
  readonly master: number;
  /** MTU of both ends, in bytes. */
  readonly mtu: number;
  /** The other end. */
  readonly peer: {
    readonly name: string;
    /** Descriptor of the network namespace to create it in. */
    readonly namespace: number;
  };
}

/** Creates a veth pair. */
export function newVethPair({ name, master, mtu, peer }: VethPair): NetlinkMessage {
  const peerAttributes = encodeAttributes([
    textAttribute(IFLA_IFNAME, peer.name),
    uint32Attribute(IFLA_MTU, mtu),
    uint32Attribute(IFLA_NET_NS_FD, peer.namespace),
  ]);
  const data = encodeAttributes([{
    type: VETH_INFO_PEER,
    value: Uint8Array.of(...linkHeader(0, 0), ...peerAttributes),
  }]);
  const info = encodeAttributes([
    textAttribute(IFLA_INFO_KIND, "veth"),
    { type: IFLA_INFO_DATA, value: data },
  ]);
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    header: linkHeader(0, 0),
    attributes: [
      textAttribute(IFLA_IFNAME, name),
      uint32Attribute(IFLA_MTU, mtu),
      uint32Attribute(IFLA_MASTER, master),
      { type: IFLA_LINKINFO, value: info },
    ],
  };
}

/** What to set on a link before it is set up. */
export interface LinkSettings {
  /** Hardware address, such as "0a:58:0a:60:00:02"; undefined to leave it as it is. */
  readonly mac?: string;
  /** Index of the bridge to attach it to; undefined to leave that as it is. */
  readonly master?: number;
}

/** Sets a link up. */
export function setLinkUp(index: number, { mac, master }: LinkSettings = {}): NetlinkMessage {
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK,
    header: linkHeader(index, IFF_UP),
    attributes: [
      ...(mac === undefined ? [] : [{ type: IFLA_ADDRESS, value: macBytes(mac) }]),
      ...(master === undefined ? [] : [uint32Attribute(IFLA_MASTER, master)]),
    ],
  };
}

/**
 * Keeps a link from generating an IPv6 address when it is set up. Duplicate detection and reports of a
 * link-local address would go to all ports of the bridge with each container that starts.
 */
export function withoutLinkLocalAddress(index: number): NetlinkMessage {
  const inet6 = encodeAttributes([
    { type: IFLA_INET6_ADDR_GEN_MODE, value: Uint8Array.of(IN6_ADDR_GEN_MODE_NONE) },
  ]);
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK,
    header: linkHeader(index, 0),
    attributes: [{
      type: IFLA_AF_SPEC,
      value: encodeAttributes([{ type: AF_INET6, value: inet6 }]),
    }],
  };
}

/** Deletes a link. */
export function deleteLink(name: string): NetlinkMessage {
  return {
    type: RTM_DELLINK,
    flags: NLM_F_ACK,
    header: linkHeader(0, 0),
    attributes: [textAttribute(IFLA_IFNAME, name)],
  };
}

/** Puts a link into a group. */
export function setLinkGroup(name: string, group: number): NetlinkMessage {
  return {
    type: RTM_NEWLINK,
    flags: NLM_F_ACK,
    header: linkHeader(0, 0),
    attributes: [textAttribute(IFLA_IFNAME, name), uint32Attribute(IFLA_GROUP, group)],
  };
}

/** Deletes all links of a group at once. */
export function deleteLinkGroup(group: number): NetlinkMessage {
  return {
    type: RTM_DELLINK,
    flags: NLM_F_ACK,
    header: linkHeader(0, 0),
    attributes: [uint32Attribute(IFLA_GROUP, group)],
  };
}

/** Gives a link an IPv4 address, with the directed broadcast address of its network. */
export function addAddress(index: number, { address, cidr }: InterfaceAddress): NetlinkMessage {
  return {
    type: RTM_NEWADDR,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    header: addressHeader(AF_INET, cidr.prefix, 0, index),
    attributes: [
      { type: IFA_LOCAL, value: ipv4Bytes(address) },
      { type: IFA_ADDRESS, value: ipv4Bytes(address) },
      { type: IFA_BROADCAST, value: ipv4Bytes(broadcastOf(cidr)) },
    ],
  };
}

/**
 * Gives a link an IPv6 address without duplicate address detection (RFC 4862, 5.4): ours is unique.
 */
export function addAddress6(index: number, { address, cidr }: InterfaceAddress6): NetlinkMessage {
  return {
    type: RTM_NEWADDR,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    header: addressHeader(AF_INET6, cidr.prefix, IFA_F_NODAD, index),
    attributes: [
      { type: IFA_LOCAL, value: ipv6Bytes(address) },
      { type: IFA_ADDRESS, value: ipv6Bytes(address) },
    ],
  };
}

/** Adds a default route through a gateway. */
export function addDefaultRoute(index: number, gateway: Ipv4 | Ipv6): NetlinkMessage {
  const isIpv4 = typeof gateway === "number";
  return {
    type: RTM_NEWROUTE,
    flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    header: routeHeader(isIpv4 ? AF_INET : AF_INET6, RT_TABLE_MAIN, RTPROT_BOOT, RTN_UNICAST),
    attributes: [
      { type: RTA_GATEWAY, value: isIpv4 ? ipv4Bytes(gateway) : ipv6Bytes(gateway) },
      uint32Attribute(RTA_OIF, index),
    ],
  };
}

/** struct ifinfomsg: family, type, index, flags, and a mask of the flags to change. */
function linkHeader(index: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, AF_UNSPEC);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, flags, true);
  return bytes;
}

/** struct ifaddrmsg: family, length of the prefix, flags, scope, index. */
function addressHeader(family: number, prefix = 0, flags = 0, index = 0): Uint8Array {
  const bytes = Uint8Array.of(family, prefix, flags, 0, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(4, index, true);
  return bytes;
}

/** struct rtmsg: family, lengths of the prefixes, type of service, table, protocol, scope, type, flags. */
function routeHeader(family: number, table = 0, protocol = 0, type = 0): Uint8Array {
  return Uint8Array.of(family, 0, 0, 0, table, protocol, 0, type, 0, 0, 0, 0);
}

function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (byte) => Number.parseInt(byte, 16));
}

function ipv4Bytes(address: Ipv4): Uint8Array {
  return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
}

function ipv6Bytes(address: Ipv6): Uint8Array {
  return Uint8Array.from(
    { length: 16 },
    (_, at) => Number((address >> BigInt(120 - 8 * at)) & 0xffn),
  );
}
