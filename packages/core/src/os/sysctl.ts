const FORWARDING = "/proc/sys/net/ipv4/ip_forward";

/** Whether this host forwards IPv4 packets between interfaces: "0" or "1" (ip-sysctl, ip_forward). */
export function readForwarding(): string {
  return Deno.readTextFileSync(FORWARDING).trim();
}

/** Sets forwarding where it is not already so; a write, even of the same value, resets other settings. */
export function writeForwarding(value: string): void {
  if (readForwarding() !== value) Deno.writeTextFileSync(FORWARDING, value);
}

/** Whether a link may carry the host's loopback addresses: "0" or "1" (ip-sysctl, route_localnet). */
export function readRouteLocalnet(link: string): string {
  return Deno.readTextFileSync(routeLocalnetPath(link)).trim();
}

/** Sets whether a link may carry the host's loopback addresses. One that is gone is passed over. */
export function writeRouteLocalnet(link: string, value: string): void {
  try {
    Deno.writeTextFileSync(routeLocalnetPath(link), value, { create: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function routeLocalnetPath(link: string): string {
  return `/proc/sys/net/ipv4/conf/${link}/route_localnet`;
}
