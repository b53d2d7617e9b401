/**
 * The control protocol of hpk-net-daemon: one JSON object per line, each answered by one line.
 */

import { isInterfaceName } from "./names.ts";
import { parseIpv4 } from "./ipv4.ts";

/** Version of the protocol: others are rejected. */
const RELAY_PROTOCOL = 1;

/** Longest line in bytes. */
export const RELAY_LINE_MAX = 64 * 1024;

/** Default directory of the host's daemon for its sockets and sessions. */
export const RELAY_DIRECTORY = "/run/hpktainer/net";

/** Path of the control socket. */
export function relayControlPath(directory: string): string {
  return `${directory}/control.sock`;
}

/** File that keeps a session for the next daemon. */
export function relaySessionFile(directory: string, id: string): string {
  return `${directory}/sessions/${id}`;
}

/** Directory of a session's own socket: the only one that its container can see. */
export function relaySessionDirectory(directory: string, id: string): string {
  return `${directory}/links/${id}`;
}

/** Path of the socket that the peer of a session of kind "relay" connects to. */
export function relaySocketPath(directory: string, id: string): string {
  return `${relaySessionDirectory(directory, id)}/relay.sock`;
}

/** A request for a session. */
export interface RelaySession {
  /** 1 to 64 letters, digits, "_", "." or "-". */
  readonly id: string;
  readonly datapath: "tap" | "relay";
  /** Name of the host's TAP; it is created if it does not exist. */
  readonly hostTap: string;
  /** The container's TAP, for datapath "tap": its network namespace and its name there. */
  readonly container: { readonly namespace: string; readonly tap: string } | null;
  /** Largest packet in bytes. */
  readonly mtu: number;
  /** The container's Ethernet address. */
  readonly mac: string;
  /** The container's IPv4 address; null to check Ethernet addresses only. */
  readonly address: string | null;
  /** Whether frames from other addresses are dropped. */
  readonly filter: boolean;
  /** User whose processes may connect besides root's, for datapath "relay". */
  readonly uid: number;
}

/** The requests to the daemon. */
export type RelayRequest =
  | { readonly version: 1; readonly op: "add"; readonly session: RelaySession }
  | { readonly version: 1; readonly op: "remove"; readonly id: string }
  | { readonly version: 1; readonly op: "status" }
  | { readonly version: 1; readonly op: "metrics" };

/** An invalid request. */
export class RelayRequestError extends Error {
  override readonly name = "RelayRequestError";
}

/**
 * Reads a request.
 *
 * @param line Without its line feed.
 * @throws {RelayRequestError} If it is invalid, naming the fault.
 */
export function parseRelayRequest(line: string): RelayRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new RelayRequestError("the line is not JSON");
  }
  const request = objectOf(value, "the request");
  if (request["version"] !== RELAY_PROTOCOL) {
    throw new RelayRequestError(`only version ${RELAY_PROTOCOL} of the protocol is supported`);
  }
  switch (request["op"]) {
    case "status":
    case "metrics":
      return { version: 1, op: request["op"] };
    case "remove":
      return { version: 1, op: "remove", id: idOf(request["id"]) };
    case "add":
      return { version: 1, op: "add", session: parseRelaySession(request["session"]) };
    default:
      throw new RelayRequestError("'op' must be add, remove, status or metrics");
  }
}

/**
 * Validates a session, from a request or from the daemon's own file.
 *
 * @throws {RelayRequestError} Naming the fault.
 */
export function parseRelaySession(value: unknown): RelaySession {
  const session = objectOf(value, "'session'");
  const { datapath, mac, address, filter } = session;
  require(datapath === "tap" || datapath === "relay", "'datapath' must be tap or relay");
  require(
    typeof mac === "string" && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) &&
      (parseInt(mac.slice(0, 2), 16) & 1) === 0,
    "'mac' must be a unicast Ethernet address in lower case",
  );
  require(
    address === null || (typeof address === "string" && parseIpv4(address) !== undefined),
    "'address' must be an IPv4 address or null",
  );
  require(typeof filter === "boolean", "'filter' must be true or false");
  return {
    id: idOf(session["id"]),
    datapath: datapath as RelaySession["datapath"],
    hostTap: interfaceOf(session["hostTap"], "hostTap"),
    container: datapath === "tap" ? containerOf(session["container"]) : null,
    mtu: numberOf(session["mtu"], "mtu", 68, 65535),
    mac: mac as string,
    address: address as string | null,
    filter: filter as boolean,
    uid: numberOf(session["uid"], "uid", 0, 2 ** 32 - 2),
  };
}

function containerOf(value: unknown): { namespace: string; tap: string } {
  const container = objectOf(value, "'container'");
  const namespace = container["namespace"];
  require(
    typeof namespace === "string" && namespace.startsWith("/") && !namespace.includes("\0"),
    "'container.namespace' must be an absolute path",
  );
  return {
    namespace: namespace as string,
    tap: interfaceOf(container["tap"], "container.tap"),
  };
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  require(
    typeof value === "object" && value !== null && !Array.isArray(value),
    `${what} must be an object`,
  );
  return value as Record<string, unknown>;
}

function idOf(value: unknown): string {
  require(
    typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(value),
    "'id' must be 1 to 64 letters, digits, '_', '.' or '-'",
  );
  return value as string;
}

function interfaceOf(value: unknown, key: string): string {
  const isName = typeof value === "string" && isInterfaceName(value) &&
    /^[\x21-\x7e]+$/.test(value);
  // The kernel would treat "%" as a pattern.
  require(isName && !value.includes("%"), `'${key}' must be an interface name`);
  return value as string;
}

function numberOf(value: unknown, key: string, least: number, most: number): number {
  require(
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most,
    `'${key}' must be a number from ${least} to ${most}`,
  );
  return value as number;
}

function require(condition: boolean, message: string): void {
  if (!condition) throw new RelayRequestError(message);
}

/** Status of a session. Counts are since the daemon took it up. */
export interface RelaySessionStatus {
  /** Its name, as it was asked for. */
  readonly id: string;
  /** What it serves. */
  readonly datapath: "tap" | "relay";
  /** The TAP device on the host. */
  readonly hostTap: string;
  /** Seconds since the daemon took it up. */
  readonly uptime: number;
  /** Counters by name, see the daemon's README. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Status of the daemon. */
export interface RelayStatus {
  /** Version of this shape. */
  readonly version: 1;
  /** The daemon's process. */
  readonly pid: number;
  /** Seconds since the daemon was started. */
  readonly uptime: number;
  /** Resident memory in bytes. */
  readonly memoryBytes: number;
  /** Bytes in use of the relay thread's heap. */
  readonly relayHeapBytes: number;
  /** Its sessions. */
  readonly sessions: readonly RelaySessionStatus[];
}

/** An answer of the daemon. */
export type RelayAnswer =
  | {
    readonly version: 1;
    readonly ok: true;
    readonly status?: RelayStatus;
    readonly text?: string;
  }
  | { readonly version: 1; readonly ok: false; readonly error: string };

/**
 * Reads an answer.
 *
 * @throws {SyntaxError} If it is invalid.
 */
export function parseRelayAnswer(line: string): RelayAnswer {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || !("ok" in value)) {
    throw new SyntaxError("cannot read the answer of hpk-net-daemon");
  }
  return value as RelayAnswer;
}
