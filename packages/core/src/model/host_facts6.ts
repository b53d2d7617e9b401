import { type Cidr6, formatIpv6, parseCidr6 } from "./ipv6.ts";

/** An IPv6 route of the main table, or an address of the host, as `ip -6 -json route` shows it. */
export interface Route6 {
  /** Its destination; ::/0 for a default route. An address of the host is a network of 128 bits. */
  readonly destination: Cidr6;
  /** "local" for an address of the host, "unicast", "unreachable" and so on for a route. */
  readonly type: string;
  /** The interface; "lo" for a route without one, such as "unreachable". */
  readonly device: string;
  /** Its origin: "ra" for a router's announcement (ip-route(8)). */
  readonly protocol: string;
}

/**
 * The defaults that `ip -6 route show table all` leaves out: the type unicast, and the table main.
 */
const DEFAULT_TYPE = "unicast";
const MAIN_TABLE = "main";

/**
 * Reads the output of `ip -6 -json route show table all`: the table main, and the host's addresses
 * from the table local.
 *
 * @throws {SyntaxError} If it is not JSON.
 */
export function parseRoutes6(json: string): Route6[] {
  const entries: unknown = JSON.parse(json.trim() === "" ? "[]" : json);
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: Record<string, unknown>) => {
    const type = String(entry["type"] ?? DEFAULT_TYPE);
    const isAddress = type === "local" && entry["table"] === "local";
    if (!isAddress && (entry["table"] ?? MAIN_TABLE) !== MAIN_TABLE) return [];
    const text = String(entry["dst"]);
    const destination = parseCidr6(
      text === "default" ? "::/0" : text.includes("/") ? text : `${text}/128`,
    );
    if (destination === undefined) return [];
    const device = String(entry["dev"] ?? "lo");
    return [{ destination, type, device, protocol: String(entry["protocol"] ?? "") }];
  });
}

/** The host's own addresses among its routes, in the form of RFC 5952. */
export function localAddresses6(routes: readonly Route6[]): string[] {
  return routes.filter(({ type }) => type === "local")
    .map(({ destination }) => formatIpv6(destination.network));
}
