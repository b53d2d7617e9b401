/** The subnet that is chosen for containers where nobody names one, and how it is remembered. */

import { type Cidr, covers, formatCidr, parseCidr } from "./ipv4.ts";

/** Where the subnet is remembered that was chosen last: on a file system that outlives a reboot. */
export const AUTOMATIC_NETWORK_PATH = "/var/lib/hpktainer/network.json";

/**
 * Subnets of which the first that is free is chosen. Each has room for more containers than a bridge has
 * ports (1023). Not among them: what Apptainer (10.22), Docker (172.17), Podman (10.88), K3s (10.42) and
 * Flannel (10.244) use unless told otherwise; the services of Kubernetes (10.96.0.0/12), which no route
 * shows; Amazon's default networks (172.31); and what host-setup chooses from.
 */
export const AUTOMATIC_SUBNETS: readonly Cidr[] = [
  "10.213.96.0/21",
  "10.67.96.0/21",
  "172.29.96.0/21",
  "192.168.200.0/21",
].map((text) => parseCidr(text)!);

/** Private networks (RFC 1918). */
const PRIVATE: readonly Cidr[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
  .map((text) => parseCidr(text)!);

/** The text that remembers a subnet. */
export function formatAutomaticNetwork(subnet: Cidr): string {
  return `${JSON.stringify({ version: 1, subnet: formatCidr(subnet) })}\n`;
}

/**
 * Reads what {@linkcode formatAutomaticNetwork} has written.
 *
 * @return Undefined for anything else, and for a subnet that is not private: as if nothing were remembered.
 */
export function parseAutomaticNetwork(text: string): Cidr | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { version, subnet } = value as Record<string, unknown>;
  const cidr = version === 1 && typeof subnet === "string" ? parseCidr(subnet) : undefined;
  return cidr !== undefined && PRIVATE.some((range) => covers(range, cidr)) ? cidr : undefined;
}
