const FORWARDING = "/proc/sys/net/ipv4/ip_forward";

/** Whether this host forwards IPv4 packets between interfaces: "0" or "1" (ip-sysctl, ip_forward). */
export function readForwarding(): string {
  return Deno.readTextFileSync(FORWARDING).trim();
}

/** Sets forwarding where it is not already so; a write, even of the same value, resets other settings. */
export function writeForwarding(value: string): void {
  if (readForwarding() !== value) Deno.writeTextFileSync(FORWARDING, value);
}
