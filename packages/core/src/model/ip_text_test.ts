import { assertEquals } from "@std/assert";
import { isIpAddress, isIpv6 } from "./ip_text.ts";

Deno.test("isIpv6 accepts addresses of that family only", () => {
  for (const text of ["::", "::1", "fd00:EC2::254", "::ffff:192.0.2.1"]) {
    assertEquals(isIpv6(text), true, text);
  }
  for (const text of ["", "10.0.0.1", "1::2::3", "fe80::1%eth0", "[::1]", "g::1", "::1/64"]) {
    assertEquals(isIpv6(text), false, text);
  }
});

Deno.test("isIpAddress accepts both families", () => {
  const cases = { "10.0.0.1": true, "::1": true, "10.0.0": false, "01.2.3.4": false, "a": false };
  for (const [text, is] of Object.entries(cases)) assertEquals(isIpAddress(text), is, text);
});
