import { assertEquals } from "@std/assert";
import { findFlannelVxlan } from "./flannel_vxlan.ts";
import type { Link } from "@hpk/core";
import { parseCidr } from "@hpk/core";

const link = (name: string, kind: string | undefined): Link => ({
  name,
  kind,
  mtu: 1450,
  up: true,
  mac: "",
  addresses: [],
});
const route = (destination: string, device: string) => ({
  destination: parseCidr(destination)!,
  device,
  metric: 0,
});

Deno.test("findFlannelVxlan() names the interface and an address of each other host", () => {
  const facts = {
    links: [link("eth0", undefined), link("flannel.1", "vxlan"), link("hpk-bridge", "bridge")],
    routes: [
      route("0.0.0.0/0", "eth0"),
      route("10.244.1.0/24", "hpk-bridge"),
      route("10.244.7.0/24", "flannel.1"),
      route("10.244.9.0/24", "flannel.1"),
    ],
  };
  assertEquals(findFlannelVxlan(facts), {
    link: "flannel.1",
    peers: ["10.244.7.0", "10.244.9.0"],
  });
});

Deno.test("findFlannelVxlan() does not mistake another interface for it", () => {
  const links = [
    link("flannel.1", "bridge"),
    link("vxlan0", "vxlan"),
    link("flannel-v6.1", "vxlan"),
  ];
  assertEquals(findFlannelVxlan({ links, routes: [] }), undefined);
});
