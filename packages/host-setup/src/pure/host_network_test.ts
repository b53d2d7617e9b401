import { assertEquals } from "@std/assert";
import { parseHostLinks, parseHostRoutes } from "./host_network.ts";

Deno.test("parseHostLinks reads masters, kinds, promiscuous bridges and addresses", () => {
  const json = JSON.stringify([
    {
      ifname: "enX0",
      mtu: 9001,
      flags: ["UP"],
      addr_info: [{ family: "inet", local: "192.0.2.7", prefixlen: 24 }],
    },
    {
      ifname: "hpk0",
      mtu: 1500,
      flags: ["PROMISC", "UP"],
      linkinfo: { info_kind: "bridge" },
      addr_info: [],
    },
    {
      ifname: "veth1",
      mtu: 1500,
      flags: [],
      master: "hpk0",
      linkinfo: { info_kind: "veth" },
      addr_info: [],
    },
    {},
  ]);
  assertEquals(
    parseHostLinks(json).map((
      { name, kind, master, mtu, promiscuous, addresses },
    ) => [name, kind, master, mtu, promiscuous, addresses.length]),
    [
      ["enX0", undefined, undefined, 9001, false, 1],
      ["hpk0", "bridge", undefined, 1500, true, 0],
      ["veth1", "veth", "hpk0", 1500, false, 0],
    ],
  );
});

Deno.test("parseHostRoutes reads metrics and the MTU of a route", () => {
  const json = JSON.stringify([
    { dst: "default", gateway: "192.0.2.1", dev: "enX0", metric: 512, metrics: [{ mtu: 1400 }] },
    { dst: "10.1.0.0/16", dev: "x" },
    { type: "unreachable", dst: "10.9.9.9" },
  ]);
  assertEquals(
    parseHostRoutes(json).map((
      { device, metric, mtu, destination },
    ) => [device, metric, mtu, destination.prefix]),
    [
      ["enX0", 512, 1400, 0],
      ["x", 0, undefined, 16],
      [undefined, 0, undefined, 32],
    ],
  );
  assertEquals(parseHostRoutes(""), []);
});
