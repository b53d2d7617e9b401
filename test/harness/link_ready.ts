/** Waits for links that were set up. */
import { eventually } from "./eventually.ts";
import type { Place } from "./place.ts";

/**
 * Waits until links that are up have carrier, their IPv6 link-local address and the route to it: the
 * kernel adds these some time after the link was set up, and two snapshots would differ.
 */
export async function linksReady(place: Place, ...names: string[]): Promise<void> {
  const script = names.map((name) =>
    `[ ! -d /proc/sys/net/ipv6/conf/${name} ] ||
      ip -6 route show table local dev ${name} | grep -q '^local fe80:'`
  ).join("\n");
  await eventually(async () => (await place.sh(script, { check: false })).code === 0, {
    what: `${place.name}: ${names.join(", ")} ready`,
    timeoutMs: 20_000,
  });
}
