import { assertEquals } from "@std/assert";
import {
  AUTOMATIC_SUBNETS,
  formatAutomaticNetwork,
  parseAutomaticNetwork,
} from "./automatic_network.ts";
import { broadcastOf, formatCidr, overlaps, parseCidr } from "./ipv4.ts";

/** Ports that a bridge of the kernel has at most (net/bridge/br_private.h, BR_MAX_PORTS, without 0). */
const MOST_PORTS = 1023;

Deno.test("the subnets of the list are apart, and each has an address for each port of a bridge", () => {
  for (const [index, subnet] of AUTOMATIC_SUBNETS.entries()) {
    const hosts = broadcastOf(subnet) - subnet.network - 1;
    assertEquals(hosts > MOST_PORTS, true, formatCidr(subnet));
    const others = AUTOMATIC_SUBNETS.slice(index + 1);
    assertEquals(others.filter((other) => overlaps(subnet, other)), []);
  }
});

Deno.test("parseAutomaticNetwork() reads what was written, and nothing else", () => {
  for (const subnet of AUTOMATIC_SUBNETS) {
    assertEquals(parseAutomaticNetwork(formatAutomaticNetwork(subnet)), subnet);
  }
  const own = (subnet: unknown, version: unknown = 1) => JSON.stringify({ version, subnet });
  assertEquals(parseAutomaticNetwork(own("10.7.0.0/20")), parseCidr("10.7.0.0/20"));
  const wrong = [
    ...["", "10.7.0.0/20", "null", "[]", "1", "{}", own(7), own(["10.7.0.0/20"]), own("10.7.0.0")],
    ...[own("10.7.0.0/20", 2), own("8.8.8.0/24"), own("0.0.0.0/0"), own("10.0.0.0/7"), own("::/0")],
  ];
  for (const text of wrong) assertEquals(parseAutomaticNetwork(text), undefined, text);
});
