import { assertEquals } from "@std/assert";
import {
  covers6,
  formatCidr6,
  formatIpv6,
  overlaps6,
  parseCidr6,
  parseInterfaceAddress6,
  parseIpv6,
} from "./ipv6.ts";

Deno.test("parseIpv6 reads every form, and formatIpv6 writes that of RFC 5952", () => {
  const cases: Record<string, [bigint, string]> = {
    "::": [0n, "::"],
    "::1": [1n, "::1"],
    "1::": [1n << 112n, "1::"],
    "fd00:96::2": [(0xfd00n << 112n) | (0x96n << 96n) | 2n, "fd00:96::2"],
    "FD00:0096:0:0:0:0:0:2": [(0xfd00n << 112n) | (0x96n << 96n) | 2n, "fd00:96::2"],
    "::ffff:192.0.2.1": [0xffffc0000201n, "::ffff:c000:201"],
    "2001:db8:0:1:0:0:0:1": [0x20010db8000000010000000000000001n, "2001:db8:0:1::1"],
    "1:2:3:4:5:6:7:8": [0x00010002000300040005000600070008n, "1:2:3:4:5:6:7:8"],
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": [
      (1n << 128n) - 1n,
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ],
  };
  for (const [text, [value, canonical]] of Object.entries(cases)) {
    assertEquals(parseIpv6(text), value, text);
    assertEquals(formatIpv6(value), canonical);
  }
});

Deno.test("parseIpv6 accepts nothing else", () => {
  for (const text of ["", "1", "10.0.0.1", "1::2::3", ":::", "fe80::1%eth0", "[::1]", "12345::"]) {
    assertEquals(parseIpv6(text), undefined, text);
  }
});

Deno.test("parseInterfaceAddress6 reads address and network", () => {
  const read = parseInterfaceAddress6("fd00:244:0:5::1/64")!;
  assertEquals(formatIpv6(read.address), "fd00:244:0:5::1");
  assertEquals(formatCidr6(read.cidr), "fd00:244:0:5::/64");
  assertEquals(formatCidr6(parseCidr6("::1/128")!), "::1/128");
  assertEquals(formatCidr6(parseCidr6("ffff::/0")!), "::/0");
  for (const text of ["fd00::", "fd00::/129", "fd00::/-1", "fd00::/064", "10.0.0.0/24", "/64"]) {
    assertEquals(parseInterfaceAddress6(text), undefined, text);
  }
});

Deno.test("networks cover and overlap", () => {
  const [whole, part, other] = ["fd00:244::/56", "fd00:244:0:5::/64", "fd00:245::/64"]
    .map((text) => parseCidr6(text)!);
  assertEquals([covers6(whole!, part!), covers6(part!, whole!)], [true, false]);
  assertEquals([overlaps6(part!, whole!), overlaps6(whole!, other!)], [true, false]);
});
