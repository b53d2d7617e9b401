/** Settings of IPv6 (ip-sysctl). */
const IPV6 = "/proc/sys/net/ipv6/conf";

const FORWARDING = "/proc/sys/net/ipv4/ip_forward";

/** Whether this host forwards IPv4 packets between interfaces: "0" or "1" (ip-sysctl, ip_forward). */
export function readForwarding(): string {
  return Deno.readTextFileSync(FORWARDING).trim();
}

/** Sets forwarding if it differs; writing even the same value would reset other settings. */
export function writeForwarding(value: string): void {
  if (readForwarding() !== value) Deno.writeTextFileSync(FORWARDING, value);
}

/** Whether a link accepts the host's loopback addresses: "0" or "1" (ip-sysctl, route_localnet). */
export function readRouteLocalnet(link: string): string {
  return Deno.readTextFileSync(routeLocalnetPath(link)).trim();
}

/** Sets whether a link accepts the host's loopback addresses. Does nothing if the link is gone. */
export function writeRouteLocalnet(link: string, value: string): void {
  try {
    Deno.writeTextFileSync(routeLocalnetPath(link), value, { create: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether new interfaces of this host have IPv6 (ip-sysctl, disable_ipv6). */
export function hasIpv6(): boolean {
  try {
    return Deno.readTextFileSync(`${IPV6}/default/disable_ipv6`).trim() === "0";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Whether this host forwards IPv6 packets: "0" or "1" (ip-sysctl, conf/all/forwarding). */
export function readForwarding6(): string {
  return Deno.readTextFileSync(`${IPV6}/all/forwarding`).trim();
}

/** Sets IPv6 forwarding of every interface, if it differs. */
export function writeForwarding6(value: string): void {
  if (readForwarding6() !== value) Deno.writeTextFileSync(`${IPV6}/all/forwarding`, value);
}

/**
 * Whether an interface accepts routes from router advertisements: "0" no, "1" unless the host
 * forwards, "2" always (ip-sysctl, accept_ra).
 */
export function readAcceptRouters(device: string): string {
  return Deno.readTextFileSync(`${IPV6}/${device}/accept_ra`).trim();
}

/** Sets whether an interface accepts routes from routers. Does nothing if the interface is gone. */
export function writeAcceptRouters(device: string, value: string): void {
  try {
    Deno.writeTextFileSync(`${IPV6}/${device}/accept_ra`, value);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function routeLocalnetPath(link: string): string {
  return `/proc/sys/net/ipv4/conf/${link}/route_localnet`;
}
