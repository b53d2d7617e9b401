import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { parseFlannelEnv } from "@hpk/core";
import type { Route6 } from "@hpk/core";
import { formatIpv6, parseCidr6, parseIpv6 } from "@hpk/core";
import { planNetwork6, wantedSubnet6 } from "./network_plan6.ts";
import { resolveSettings } from "@hpk/core";

const settings = (subnet6?: string) =>
  resolveSettings({
    file: undefined,
    environment: {},
    options: subnet6 === undefined ? {} : { subnet6 },
  }).settings;

const FLANNEL = parseFlannelEnv(
  `FLANNEL_NETWORK=10.244.0.0/16
FLANNEL_SUBNET=10.244.5.1/24
FLANNEL_IPV6_NETWORK=fd00:244::/56
FLANNEL_IPV6_SUBNET=fd00:244:0:5::1/64
FLANNEL_MTU=1430
`,
  "subnet.env",
);

const route = (destination: string, device: string, rest: Partial<Route6> = {}): Route6 => ({
  destination: parseCidr6(destination)!,
  device,
  type: "unicast",
  protocol: "kernel",
  ...rest,
});

const WANTED = wantedSubnet6(settings("fd00:96::/64"), undefined)!;

const planOn = (routes: Route6[] | undefined, mtu = 1500) =>
  planNetwork6(WANTED, { bridge: "hpk-bridge", mtu, routes });

Deno.test("wantedSubnet6() is the setting, else Flannel's, else none", () => {
  assertEquals(wantedSubnet6(settings(), undefined), undefined);
  assertEquals(wantedSubnet6(settings(), FLANNEL), {
    subnet: parseCidr6("fd00:244:0:5::/64")!,
    podNetwork: parseCidr6("fd00:244::/56")!,
    gateway: parseIpv6("fd00:244:0:5::1")!,
  });
  const own = wantedSubnet6(settings("fd00:96::77/64"), FLANNEL)!;
  assertEquals(own.podNetwork, own.subnet);
  assertEquals(formatIpv6(own.gateway), "fd00:96::1");
});

Deno.test("wantedSubnet6() refuses what is not a subnet of hosts", () => {
  const cases: Record<string, string> = {
    "fd00::/127": "no room",
    "fc00::/15": "too large",
    "ff02::/64": "not for hosts",
    "fe80::/64": "not for hosts",
    "::/64": "not for hosts",
  };
  for (const [subnet, why] of Object.entries(cases)) {
    const { message } = assertThrows(() => wantedSubnet6(settings(subnet), undefined), HpkError);
    assertStringIncludes(message, why, subnet);
  }
});

Deno.test("planNetwork6() considers the bridge and announced routes", () => {
  const others = [route("fe80::/64", "eth0"), route("::1/128", "lo", { type: "local" })];
  const first = planOn(others);
  assertEquals([first.hasGateway, first.announced], [false, []]);
  const second = planOn([
    ...others,
    route("fd00:96::/64", "hpk-bridge"),
    route("fd00:96::1/128", "hpk-bridge", { type: "local" }),
    route("::/0", "eth0", { protocol: "ra" }),
  ]);
  assertEquals([second.hasGateway, second.announced], [true, ["eth0"]]);
});

Deno.test("planNetwork6() ignores Flannel's own routes", () => {
  const wanted = wantedSubnet6(settings(), FLANNEL)!;
  const routes = [
    route("fd00:244:0:5::/128", "flannel-v6.1", { type: "local" }),
    route("fd00:244:0:7::/64", "flannel-v6.1"),
  ];
  assertEquals(planNetwork6(wanted, { bridge: "hpk-bridge", mtu: 1500, routes }).hasGateway, false);
});

Deno.test("planNetwork6() refuses a conflict, and names it", () => {
  const cases: [Route6[] | undefined, string][] = [
    [[route("fd00:96::/48", "eth1")], "overlaps the host's route to fd00:96::/48 by eth1"],
    [[route("fd00:96::9/128", "eth1", { type: "local" })], "holds the address fd00:96::9 of eth1"],
    [undefined, "IPv6 is switched off"],
  ];
  for (const [routes, why] of cases) {
    const { message } = assertThrows(() => planOn(routes), HpkError);
    assertStringIncludes(message, why);
  }
  assertStringIncludes(
    assertThrows(() => planOn([], 1279), HpkError).message,
    "an MTU of 1279 bytes is too small for IPv6",
  );
});
