import { assertEquals } from "@std/assert";
import { type NetworkRecord, parseCidr, parseCidr6 } from "@hpk/core";
import { isOfUse, lingerLeft } from "./linger.ts";

Deno.test("lingerLeft() counts from the last container's end", () => {
  // linger and emptySince in s, generation, uptime in s; the time left in ms.
  const cases: [number, number | null, string | null, number, number][] = [
    [10, 100, "g", 100, 10_000],
    [10, 100, "g", 104.25, 5_750],
    [10, 100, "g", 110, 0],
    [10, 100, "g", 5_000, 0],
    [0, 100, "g", 100, 0],
    // No container has ended, a change was interrupted, the record is from another boot.
    [10, null, "g", 100, 0],
    [10, 100, null, 100, 0],
    [10, 100, "g", 99, 0],
  ];
  for (const [linger, emptySince, generation, uptime, left] of cases) {
    assertEquals(lingerLeft({ linger, emptySince, generation }, uptime), left);
  }
});

const network = (bridge: string, subnet: string): NetworkRecord => ({
  bridge,
  subnet,
  podNetwork: subnet,
  masquerade: true,
  uplink: null,
  nameServer: null,
});

Deno.test("isOfUse() is true if everything left belongs to the plan's network", () => {
  const a = network("hpk-bridge", "10.96.0.0/24");
  const b = network("hpk-bridge", "10.97.0.0/24");
  const a6 = network("hpk-bridge", "fd00:96::/64");
  const six = (text: string) => {
    const subnet = parseCidr6(text)!;
    return { subnet, podNetwork: subnet, gateway: 1n, hasGateway: true, announced: [] };
  };
  const cases: [string, NetworkRecord[], NetworkRecord[], string | undefined, boolean][] = [
    ["hpk-bridge", [a], [], undefined, true],
    ["hpk-bridge", [], [], undefined, true],
    ["hpk-bridge", [a], [a6], "fd00:96::/64", true],
    ["hpk-bridge", [a], [], "fd00:96::/64", true],
    ["other", [a], [], undefined, false],
    ["hpk-bridge", [b], [], undefined, false],
    ["hpk-bridge", [a, b], [], undefined, false],
    ["hpk-bridge", [network("other", a.subnet)], [], undefined, false],
    ["hpk-bridge", [a], [a6], "fd00:97::/64", false],
    ["hpk-bridge", [a], [a6], undefined, false],
  ];
  for (const [bridge, networks, networks6, subnet6, expected] of cases) {
    const ipv6 = { priorForwarding: "0", acceptRouters: [], networks: networks6 };
    assertEquals(
      isOfUse({ bridge, networks, ipv6 }, {
        bridge: "hpk-bridge",
        subnet: parseCidr("10.96.0.0/24")!,
        ipv6: subnet6 === undefined ? undefined : six(subnet6),
      }),
      expected,
    );
  }
});
