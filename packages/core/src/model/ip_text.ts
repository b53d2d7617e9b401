/** Addresses as text, of either family. */

import { parseIpv4 } from "./ipv4.ts";

/** Whether a text is an IPv6 address (RFC 4291, section 2.2), without brackets and without a zone. */
export function isIpv6(text: string): boolean {
  return text.includes(":") && /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]/`);
}

/** Whether a text is an IPv4 or IPv6 address. */
export function isIpAddress(text: string): boolean {
  return text.includes(":") ? isIpv6(text) : parseIpv4(text) !== undefined;
}
