import { assertEquals, assertThrows } from "@std/assert";
import { defaultUplink, describeLinkAddress, parseLinks, parseRoutes } from "./host_facts.ts";
import { formatCidr, formatIpv4 } from "./ipv4.ts";

/** As iproute2 6.1 prints it: hardware, a bridge, a port of it, a VXLAN and an empty object. */
const ADDRESS_JSON = JSON.stringify([
  {
    ifindex: 1,
    ifname: "lo",
    flags: ["LOOPBACK", "UP", "LOWER_UP"],
    mtu: 65536,
    address: "00:00:00:00:00:00",
    addr_info: [
      { family: "inet", local: "127.0.0.1", prefixlen: 8 },
      { family: "inet6", local: "::1", prefixlen: 128 },
    ],
  },
  {
    ifindex: 2,
    ifname: "hpk-bridge",
    flags: ["BROADCAST", "MULTICAST"],
    mtu: 1450,
    address: "0a:58:0a:60:00:01",
    linkinfo: { info_kind: "bridge", info_data: { stp_state: 0 } },
    addr_info: [
      { family: "inet", local: "10.96.0.1", prefixlen: 24 },
      { family: "inet", local: "10.97.0.1", prefixlen: 16, secondary: true },
    ],
  },
  {},
  {
    ifindex: 3,
    ifname: "hpk0",
    flags: ["UP"],
    mtu: 1450,
    linkinfo: { info_kind: "veth" },
    addr_info: [],
  },
  { ifindex: 4, ifname: "flannel.1", flags: ["UP"], mtu: 1450, linkinfo: { info_kind: "vxlan" } },
]);

Deno.test("parseLinks() reads what ip prints", () => {
  const links = parseLinks(ADDRESS_JSON).map((link) => ({
    ...link,
    addresses: link.addresses.map((own) => `${formatIpv4(own.address)} ${formatCidr(own.cidr)}`),
  }));
  const base = { kind: undefined, up: true, mtu: 1450, mac: "" };
  assertEquals(links, [
    {
      ...base,
      name: "lo",
      mtu: 65536,
      mac: "00:00:00:00:00:00",
      addresses: ["127.0.0.1 127.0.0.0/8"],
    },
    {
      ...base,
      name: "hpk-bridge",
      kind: "bridge",
      up: false,
      mac: "0a:58:0a:60:00:01",
      addresses: ["10.96.0.1 10.96.0.0/24", "10.97.0.1 10.97.0.0/16"],
    },
    { ...base, name: "hpk0", kind: "veth", addresses: [] },
    { ...base, name: "flannel.1", kind: "vxlan", addresses: [] },
  ]);
});

Deno.test("parseRoutes() reads networks, single hosts, the default and routes without a device", () => {
  const json = JSON.stringify([
    { dst: "default", gateway: "192.0.2.1", dev: "eth0", metric: 100, flags: [] },
    { dst: "10.96.0.0/24", dev: "hpk-bridge", protocol: "kernel" },
    { dst: "192.0.2.1", dev: "eth0", metric: 100 },
    { type: "unreachable", dst: "10.244.0.0/16" },
    { dst: "fd00::/64", dev: "eth0" },
  ]);
  const routes = parseRoutes(json).map((route) => [
    formatCidr(route.destination),
    route.device,
    route.metric,
  ]);
  assertEquals(routes, [
    ["0.0.0.0/0", "eth0", 100],
    ["10.96.0.0/24", "hpk-bridge", 0],
    ["192.0.2.1/32", "eth0", 100],
    ["10.244.0.0/16", undefined, 0],
  ]);
});

Deno.test("parseLinks() and parseRoutes() treat empty output as an empty list, and reject invalid JSON", () => {
  for (const text of ["", "\n", "[]", "[{}]", "{}", "null"]) {
    assertEquals([parseLinks(text), parseRoutes(text)], [[], []], text);
  }
  for (const text of ["Error: ipv4: FIB table does not exist.", "[", "1: lo: <UP>"]) {
    assertThrows(() => parseLinks(text), SyntaxError);
    assertThrows(() => parseRoutes(text), SyntaxError);
  }
});

Deno.test("defaultUplink() is that of the default route with the lowest metric", () => {
  const cases: [string, object[], string | undefined][] = [
    ["an air-gapped host", [{ dst: "10.96.0.0/24", dev: "eth0" }], undefined],
    ["no routes at all", [], undefined],
    ["one", [{ dst: "default", dev: "eth0", metric: 100 }], "eth0"],
    [
      "two: no metric is the metric 0",
      [{ dst: "default", dev: "wlan0", metric: 600 }, { dst: "default", dev: "eth0" }],
      "eth0",
    ],
    [
      "two of the same metric: the first",
      [{ dst: "default", dev: "eth0", metric: 1 }, { dst: "default", dev: "eth1", metric: 1 }],
      "eth0",
    ],
    ["the bridge itself does not count", [{ dst: "default", dev: "hpk-bridge" }], undefined],
    ["a blackhole route does not count", [{ dst: "default", type: "blackhole" }], undefined],
  ];
  for (const [what, json, expected] of cases) {
    const facts = { links: [], routes: parseRoutes(JSON.stringify(json)) };
    assertEquals(defaultUplink(facts, "hpk-bridge"), expected, what);
  }
});

Deno.test("describeLinkAddress() names the interface and the address as ip does", () => {
  const bridge = parseLinks(ADDRESS_JSON)[1]!;
  assertEquals(describeLinkAddress(bridge, bridge.addresses[0]!), "hpk-bridge (10.96.0.1/24)");
});
