/** The live checks of --verify: the tasks of a probe, and their results. */

/** A task of a probe, in its network namespace. */
export type ProbeTask =
  /** Connects; a refusal proves as much as an answer. */
  | { readonly kind: "connect"; readonly address: string; readonly port: number }
  /** Connects and reads the whole {@linkcode pattern}. */
  | { readonly kind: "fetch"; readonly address: string; readonly port: number }
  /** Queries a DNS server for the root's name servers. */
  | { readonly kind: "dns"; readonly address: string };

/** Result of a task. */
export interface ProbeResult {
  readonly ok: boolean;
  /** What was observed, or what went wrong. */
  readonly found: string;
}

/** How much a server sends, in bytes: many segments, so that a dropped full-size one is noticed. */
export const TRANSFER_BYTES = 256 * 1024;

/** The data that a server sends: its period does not divide any segment size. */
export function pattern(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: TRANSFER_BYTES }, (_, index) => index % 251);
}

/** Length of a DNS message's header (RFC 1035, section 4.1.1). */
const DNS_HEADER_SIZE = 12;

/**
 * A DNS query for the name servers of the root (RFC 1035, section 4.1).
 *
 * @param id Two bytes that the answer repeats.
 */
export function dnsQuery(id: number): Uint8Array<ArrayBuffer> {
  const recursionDesired = [0x01, 0x00];
  const counts = [0, 1, 0, 0, 0, 0, 0, 0];
  const rootNsIn = [0, 0, 2, 0, 1];
  return new Uint8Array([id >> 8, id & 0xff, ...recursionDesired, ...counts, ...rootNsIn]);
}

/** Whether a datagram is an answer to the query with an id. */
export function isDnsAnswer(datagram: Uint8Array, id: number): boolean {
  if (datagram.length < DNS_HEADER_SIZE) return false;
  const isResponse = (datagram[2]! & 0x80) !== 0;
  return datagram[0] === id >> 8 && datagram[1] === (id & 0xff) && isResponse;
}
