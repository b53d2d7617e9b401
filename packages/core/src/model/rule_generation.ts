/** The generation number of the nf_tables rule set, as messages of netlink(7). */

import {
  decodeAttributes,
  type NetlinkMessage,
  NLM_F_ACK,
  type ReceivedMessage,
} from "./netlink.ts";

/** Subsystem and message (linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h). */
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_GETGEN = 16;

/** Attribute of the answer: a number of four bytes in network order. */
const NFTA_GEN_ID = 1;

/** Bytes of struct nfgenmsg: family, version, and a number for the subsystem. */
const HEADER = 4;

/** Requests the number. */
export function ruleGenerationRequest(): NetlinkMessage {
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN,
    flags: NLM_F_ACK,
    header: new Uint8Array(HEADER),
    attributes: [],
  };
}

/** Reads the number from an answer; undefined if it has none. */
export function ruleGenerationIn({ payload }: ReceivedMessage): number | undefined {
  const value = decodeAttributes(payload.subarray(HEADER)).get(NFTA_GEN_ID);
  if (value?.length !== 4) return undefined;
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0);
}
