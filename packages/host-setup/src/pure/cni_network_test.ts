import { assertEquals, assertThrows } from "@std/assert";
import { formatCidr, HpkError, parseCidr, parseInterfaceAddress } from "@hpk/core";
import {
  checkBridge,
  checkNames,
  chooseSubnet,
  formatConflist,
  freeNetwork,
  MARKER,
  type Occupied,
  readCniUse,
} from "./cni_network.ts";

const FREE: Occupied = { links: [], routes: [], uses: [], networks: [] };
const link = (name: string, address: string, kind?: string) => ({
  name,
  kind,
  master: undefined,
  promiscuous: false,
  mtu: 1500,
  addresses: [parseInterfaceAddress(address)!],
});
const route = (destination: string, device: string) => ({
  destination: parseCidr(destination)!,
  device,
  metric: 0,
  mtu: undefined,
});

const CHOICES: readonly (readonly [string, Partial<Occupied>, string])[] = [
  ["the first if all are free", {}, "10.72.0.0/16"],
  ["past an address of a link", { links: [link("eth0", "10.72.3.4/24")] }, "10.73.0.0/16"],
  ["past a route", { routes: [route("10.72.0.0/15", "vpn0")] }, "10.74.0.0/16"],
  ["not past a default route", { routes: [route("0.0.0.0/0", "eth0")] }, "10.72.0.0/16"],
  ["not past our own bridge", {
    links: [link("hpk0", "10.72.0.1/16")],
    routes: [route("10.72.0.0/16", "hpk0")],
  }, "10.72.0.0/16"],
  [
    "past hpktainer's network",
    { networks: [{ cidr: parseCidr("10.72.0.0/24")!, owner: "x" }] },
    "10.73.0.0/16",
  ],
  ["past a whole class A network", { routes: [route("10.0.0.0/8", "vpn0")] }, "172.30.0.0/16"],
];

for (const [name, occupied, subnet] of CHOICES) {
  Deno.test(`chooseSubnet: ${name}`, () => {
    assertEquals(formatCidr(chooseSubnet(undefined, "hpk0", { ...FREE, ...occupied })), subnet);
  });
}

Deno.test("chooseSubnet rejects a requested subnet that is in use, and reports when none is free", () => {
  assertThrows(() => chooseSubnet("10.22.0.0/24", "hpk0", FREE), HpkError, "Apptainer's own");
  assertThrows(() => chooseSubnet("10.0.0.0/7", "hpk0", FREE), HpkError, "too large");
  const all = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map((cidr) => route(cidr, "vpn0"));
  assertThrows(
    () => chooseSubnet(undefined, "hpk0", { ...FREE, routes: all }),
    HpkError,
    "all in use",
  );
});

Deno.test("freeNetwork skips test networks that are in use", () => {
  assertEquals(
    formatCidr(freeNetwork({ ...FREE, links: [link("x", "192.0.2.1/24")] })),
    "198.18.0.0/30",
  );
});

Deno.test("readCniUse finds names, bridges and subnets at any depth, and recognises ours", () => {
  const theirs =
    '{"name":"a","plugins":[{"type":"bridge","bridge":"b0","ipam":{"ranges":[[{"subnet":"10.9.0.0/24"}]]}}]}';
  const use = readCniUse("/x", theirs);
  assertEquals([use.name, use.bridges, use.subnets.map(formatCidr), use.ours], ["a", ["b0"], [
    "10.9.0.0/24",
  ], false]);
  assertEquals(readCniUse("/x", "not json").name, undefined);
  assertEquals(readCniUse("/x", "null").ours, false);
});

Deno.test("checkNames reports the file that uses our name or bridge", () => {
  const uses = [readCniUse("/n/9.conflist", '{"name":"hpk","plugins":[{"bridge":"b0"}]}')];
  assertThrows(() => checkNames("hpk", "hpk0", uses), HpkError, "/n/9.conflist has that name");
  assertThrows(() => checkNames("x", "b0", uses), HpkError, "/n/9.conflist uses it");
  checkNames("x", "hpk0", uses);
});

Deno.test("checkBridge accepts only our own bridge", () => {
  const bridge = [{ ...link("hpk0", "10.72.0.1/16"), kind: "bridge" }];
  checkBridge("hpk0", bridge, true);
  checkBridge("other", bridge, false);
  assertThrows(() => checkBridge("hpk0", bridge, false), HpkError, "host-setup did not create it");
  assertThrows(
    () => checkBridge("hpk0", [link("hpk0", "10.72.0.1/16")], true),
    HpkError,
    "hardware",
  );
});

for (const bridgeNetfilter of [false, true]) {
  Deno.test(`formatConflist, golden, ${bridgeNetfilter ? "with" : "without"} br_netfilter`, () => {
    const text = formatConflist({
      name: "hpk",
      bridge: "hpk0",
      subnet: parseCidr("10.72.0.0/16")!,
      mtu: 9001,
      bridgeNetfilter,
    });
    assertEquals(JSON.parse(text), {
      comment: MARKER,
      cniVersion: "0.4.0",
      name: "hpk",
      plugins: [
        {
          type: "bridge",
          bridge: "hpk0",
          isGateway: true,
          ipMasq: false,
          ...(bridgeNetfilter ? { hairpinMode: true } : { promiscMode: true }),
          mtu: 9001,
          ipam: { type: "host-local", subnet: "10.72.0.0/16", routes: [{ dst: "0.0.0.0/0" }] },
        },
        { type: "firewall" },
        { type: "portmap", capabilities: { portMappings: true }, snat: true },
      ],
    });
    assertEquals(readCniUse("/x", text).ours, true);
  });
}
