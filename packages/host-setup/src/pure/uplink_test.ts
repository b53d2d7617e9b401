import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import type { HostLink, HostRoute } from "./host_network.ts";
import { chooseUplink } from "./uplink.ts";

const link = (name: string, more: Partial<HostLink> = {}): HostLink => ({
  name,
  kind: undefined,
  master: undefined,
  promiscuous: false,
  mtu: 9001,
  addresses: [],
  ...more,
});
const route = (device: string, metric: number, mtu?: number): HostRoute => ({
  destination: { network: 0, prefix: 0 },
  device,
  metric,
  mtu,
});
const LINKS = [
  link("enX0"),
  link("enX1", { mtu: 1500 }),
  link("wg0", { kind: "wireguard", mtu: 1420 }),
  link("br0", { kind: "bridge" }),
  link("docker0", { kind: "bridge" }),
  link("eth0", { kind: "veth" }),
  link("p0", { kind: "veth", master: "br0" }),
  link("cali1", { kind: "veth" }),
];
const choose = (routes: HostRoute[], asked?: string) =>
  chooseUplink(asked, LINKS, routes, ["hpk0"], false);

const CASES:
  readonly (readonly [string, HostRoute[], string | undefined, number | undefined, number])[] = [
    ["the only default route", [route("enX0", 0)], "enX0", 9001, 0],
    ["the lowest metric of two", [route("enX0", 200), route("enX1", 100)], "enX1", 1500, 1],
    ["the first of two with one metric", [route("enX1", 0), route("enX0", 0)], "enX1", 1500, 1],
    ["a route with an MTU of its own", [route("enX0", 0, 1400)], "enX0", 1400, 0],
    ["a VPN", [route("wg0", 1), route("enX0", 100)], "wg0", 1420, 1],
    ["a veth without a master: a host in a namespace", [route("eth0", 0)], "eth0", 9001, 0],
    ["a bridge is ignored", [route("docker0", 1), route("enX0", 9)], "enX0", 9001, 1],
    ["a bridge alone does not count", [route("br0", 0)], undefined, undefined, 2],
    [
      "a port of a bridge and a link of Calico do not count",
      [route("p0", 0), route("cali1", 0)],
      undefined,
      undefined,
      2,
    ],
    ["no default route", [], undefined, undefined, 1],
  ];

for (const [name, routes, uplink, mtu, notes] of CASES) {
  Deno.test(`chooseUplink: ${name}`, () => {
    const found = choose(routes);
    assertEquals([found.name, found.mtu, found.notes.length], [uplink, mtu, notes]);
  });
}

Deno.test("chooseUplink accepts the requested one, even a bridge, but never ours or a missing one", () => {
  assertEquals(choose([route("enX0", 0)], "br0").name, "br0");
  assertThrows(() => choose([], "hpk0"), HpkError, "bridge of our containers");
  assertThrows(() => choose([], "eth9"), HpkError, "name one of enX0, enX1, wg0, eth0");
});

Deno.test("chooseUplink reports a host that has only IPv6", () => {
  const { notes } = chooseUplink(undefined, LINKS, [], [], true);
  assertEquals(notes[0]!.includes("only an IPv6 default route"), true);
});
