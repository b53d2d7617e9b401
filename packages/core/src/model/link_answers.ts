/** The kernel's answers about links, addresses and routes, as messages of rtnetlink(7). */

import type { Link, Route } from "./host_facts.ts";
import { type InterfaceAddress, networkOf } from "./ipv4.ts";
import { decodeAttributes, type ReceivedMessage, textOf, uint32Of } from "./netlink.ts";

/** A link with its index. Its addresses come in messages of their own. */
export interface IndexedLink {
  readonly index: number;
  readonly link: Omit<Link, "addresses">;
}

/** A route with the index of its link. */
export interface IndexedRoute {
  readonly destination: Route["destination"];
  /** Index of the outgoing link; undefined for a route without one. */
  readonly index: number | undefined;
  readonly metric: number;
}

/** Sizes of struct ifinfomsg, struct ifaddrmsg and struct rtmsg, which precede the attributes. */
const LINK_HEADER = 16;
const ADDRESS_HEADER = 8;
const ROUTE_HEADER = 12;

/** A link is up (linux/if.h). */
const IFF_UP = 1;

/** Attributes of links (linux/if_link.h). */
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;

/** Attributes of addresses (linux/if_addr.h). */
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;

/** Attributes, a flag and the main table of routes (linux/rtnetlink.h). */
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_PRIORITY = 6;
const RTA_TABLE = 15;
const RT_TABLE_MAIN = 254;
/** A cached route, which ip(8) shows only on request. */
const RTM_F_CLONED = 0x200;

/** Reads an answer to getLink() or getLinks(). */
export function readLink({ payload }: ReceivedMessage): IndexedLink {
  const header = viewOf(payload);
  const attributes = decodeAttributes(payload.subarray(LINK_HEADER));
  const info = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array());
  const kind = info.get(IFLA_INFO_KIND);
  const mac = attributes.get(IFLA_ADDRESS) ?? new Uint8Array();
  return {
    index: header.getInt32(4, true),
    link: {
      name: textOf(attributes.get(IFLA_IFNAME) ?? new Uint8Array()),
      mtu: numberIn(attributes, IFLA_MTU) ?? 0,
      kind: kind === undefined ? undefined : textOf(kind),
      up: (header.getUint32(8, true) & IFF_UP) !== 0,
      mac: Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":"),
    },
  };
}

/** Reads an answer to getAddresses(): an address, and the index of its link. */
export function readAddress(
  { payload }: ReceivedMessage,
): { index: number; address: InterfaceAddress } | undefined {
  const header = viewOf(payload);
  const attributes = decodeAttributes(payload.subarray(ADDRESS_HEADER));
  // On a point-to-point link the address is the peer's, and the local one is a separate attribute.
  const value = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (value?.length !== 4) return undefined;
  const address = viewOf(value).getUint32(0);
  const prefix = header.getUint8(1);
  return {
    index: header.getUint32(4, true),
    address: { address, cidr: { network: networkOf(address, prefix), prefix } },
  };
}

/**
 * Reads an answer to getRoutes().
 *
 * @param allTables Whether routes of every table are wanted, and not of table main only.
 * @return Undefined for one that is not wanted.
 */
export function readRoute(
  { payload }: ReceivedMessage,
  allTables = false,
): IndexedRoute | undefined {
  const header = viewOf(payload);
  const attributes = decodeAttributes(payload.subarray(ROUTE_HEADER));
  const table = numberIn(attributes, RTA_TABLE) ?? header.getUint8(4);
  const isCached = (header.getUint32(8, true) & RTM_F_CLONED) !== 0;
  if (isCached || (table !== RT_TABLE_MAIN && !allTables)) return undefined;
  const destination = attributes.get(RTA_DST);
  return {
    destination: {
      network: destination === undefined ? 0 : viewOf(destination).getUint32(0),
      prefix: header.getUint8(1),
    },
    index: numberIn(attributes, RTA_OIF),
    metric: numberIn(attributes, RTA_PRIORITY) ?? 0,
  };
}

function numberIn(attributes: Map<number, Uint8Array>, type: number): number | undefined {
  const value = attributes.get(type);
  return value === undefined ? undefined : uint32Of(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
