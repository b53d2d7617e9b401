import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import type { FlannelEnv } from "@hpk/core";
import type { Link, Route } from "@hpk/core";
import { formatCidr, formatIpv4, parseCidr, parseInterfaceAddress, parseIpv4 } from "@hpk/core";
import { parseCidr6 } from "@hpk/core";
import { type NetworkPlan, type PlanInputs, planNetwork, wantedMode } from "./network_plan.ts";
import { resolveSettings, type SettingKey, type Settings } from "@hpk/core";

const settings = (options: Partial<Record<SettingKey, string>>): Settings =>
  resolveSettings({ file: undefined, environment: {}, options }).settings;

const link = (name: string, addresses: string[], more: Partial<Link> = {}): Link => ({
  name,
  mtu: 1500,
  kind: undefined,
  up: true,
  mac: "",
  addresses: addresses.map((text) => parseInterfaceAddress(text)!),
  ...more,
});

const route = (destination: string, device: string | undefined, metric = 0): Route => ({
  destination: parseCidr(destination)!,
  device,
  metric,
});

const LO = link("lo", ["127.0.0.1/8"], { mtu: 65536 });
const ETH0 = link("eth0", ["192.0.2.10/24"], { mtu: 9001 });
const DEFAULT = route("0.0.0.0/0", "eth0");

const flannel = (subnet = "10.244.1.1/24", ipMasq = false): FlannelEnv => {
  const { address, cidr } = parseInterfaceAddress(subnet)!;
  return {
    network: parseCidr("10.244.0.0/16")!,
    subnet: cidr,
    gateway: address,
    mtu: 1450,
    ipMasq,
    ipv6: undefined,
  };
};

/** The input of a case; the rest is an ordinary host with an uplink and nothing of ours. */
interface Case {
  options?: Partial<Record<SettingKey, string>>;
  ip?: string;
  isAutomatic?: boolean;
  flannel?: FlannelEnv;
  links?: Link[];
  routes?: Route[];
  onBridge?: ReturnType<PlanInputs["onBridge"]>;
}

const STATIC_POD = { mode: "static", subnet: "10.97.0.0/24", gateway: "10.97.0.1" } as const;

function plan(given: Case): NetworkPlan {
  return planNetwork({
    settings: settings(given.options ?? (given.flannel ? {} : { subnet: "10.96.0.0/24" })),
    ip: given.ip,
    isAutomatic: given.isAutomatic ?? false,
    flannel: given.flannel,
    facts: {
      links: [LO, ETH0, ...(given.links ?? [])],
      routes: [DEFAULT, route("192.0.2.0/24", "eth0"), ...(given.routes ?? [])],
    },
    routes6: [],
    onBridge: () => given.onBridge ?? [],
  });
}

/** The error line of a case. */
const refusal = (given: Case): string => assertThrows(() => plan(given), HpkError).message;

Deno.test("wantedMode() is the setting, else static for a subnet, and Flannel for a wait", () => {
  const cases: [Partial<Record<SettingKey, string>>, string][] = [
    [{}, "auto"],
    [{ network: "auto" }, "auto"],
    [{ subnet: "10.96.0.0/24" }, "static"],
    [{ network: "auto", subnet: "10.96.0.0/24" }, "static"],
    [{ wait: "5" }, "flannel"],
    [{ wait: "5", subnet: "10.96.0.0/24" }, "static"],
    [{ network: "flannel", subnet: "10.96.0.0/24" }, "flannel"],
    [{ network: "static" }, "static"],
    [{ network: "host", subnet: "10.96.0.0/24" }, "host"],
    [{ network: "none" }, "none"],
  ];
  for (const [options, mode] of cases) assertEquals(wantedMode(settings(options)), mode);
});

Deno.test("planNetwork() plans a static network: first address the gateway, MTU of the uplink", () => {
  assertEquals(plan({ ip: "10.96.0.7" }), {
    mode: "static",
    bridge: "hpk-bridge",
    subnet: parseCidr("10.96.0.0/24")!,
    podNetwork: parseCidr("10.96.0.0/24")!,
    gateway: parseIpv4("10.96.0.1")!,
    mtu: 9001,
    masquerade: true,
    uplink: undefined,
    address: parseIpv4("10.96.0.7"),
    ipv6: undefined,
  });
});

Deno.test("planNetwork() plans Flannel's network: gateway, MTU and masquerade are Flannel's", () => {
  const planned = plan({
    flannel: flannel("10.244.1.1/24", true),
    links: [link("flannel.1", ["10.244.1.0/32"])],
    routes: [route("10.244.2.0/24", "flannel.1"), route("10.244.0.0/16", "flannel.1")],
  });
  assertEquals(planned, {
    mode: "flannel",
    bridge: "hpk-bridge",
    subnet: parseCidr("10.244.1.0/24")!,
    podNetwork: parseCidr("10.244.0.0/16")!,
    gateway: parseIpv4("10.244.1.1")!,
    mtu: 1450,
    masquerade: false,
    uplink: undefined,
    address: undefined,
    ipv6: undefined,
  });
  assertEquals(plan({ flannel: flannel() }).masquerade, true);
});

Deno.test("planNetwork() uses the configured MTU, else Flannel's, else the uplink's, else 1500", () => {
  const subnet = "10.96.0.0/24";
  const wg0 = link("wg0", [], { mtu: 1420 });
  const alone = planNetwork({
    settings: settings({ subnet }),
    ip: undefined,
    isAutomatic: false,
    flannel: undefined,
    facts: { links: [LO], routes: [] },
    routes6: undefined,
    onBridge: () => [],
  });
  assertEquals(alone.mtu, 1500, "no default route: an air-gapped host");
  assertEquals(plan({ options: { subnet, mtu: "1200" } }).mtu, 1200);
  assertEquals(plan({ options: { mtu: "1200" }, flannel: flannel() }).mtu, 1200);
  assertEquals(plan({ options: { subnet, uplink: "wg0" }, links: [wg0] }).mtu, 1420);
  assertEquals(plan({ options: { subnet, uplink: "wg0" }, links: [wg0] }).uplink, "wg0");
  assertEquals(plan({}).mtu, 9001);
});

Deno.test("planNetwork() clears host bits, and accepts prefixes from /8 to /30", () => {
  const cases: [string, string, string][] = [
    ["10.96.0.77/24", "10.96.0.0/24", "10.96.0.1"],
    ["11.0.0.0/8", "11.0.0.0/8", "11.0.0.1"],
    ["10.96.0.4/30", "10.96.0.4/30", "10.96.0.5"],
  ];
  for (const [text, subnet, gateway] of cases) {
    const planned = plan({ options: { subnet: text } });
    assertEquals([formatCidr(planned.subnet), formatIpv4(planned.gateway)], [subnet, gateway]);
  }
});

Deno.test("planNetwork() refuses a subnet that is missing, too small or too large", () => {
  const size = "use a prefix from /8 to /30";
  const small = "it has no room for a gateway and a container";
  const large = "it is too large";
  const env = "/run/flannel/subnet.env";
  const cases: [Case, string][] = [
    [
      { options: { network: "static" } },
      "cannot give the container an address: the network is static and no subnet is set; " +
      "pass --subnet CIDR, or set 'subnet' in /etc/hpktainer/config.ini",
    ],
    ...["/31", "/32"].map((prefix): [Case, string] => [
      { options: { subnet: `10.96.0.0${prefix}` } },
      `cannot use subnet 10.96.0.0${prefix} (--subnet): ${small}; ${size}`,
    ]),
    [
      { flannel: flannel("10.244.1.1/31") },
      `cannot use subnet 10.244.1.0/31 (${env}): ${small}; ${size}`,
    ],
    [
      { options: { subnet: "0.0.0.0/0" } },
      `cannot use subnet 0.0.0.0/0 (--subnet): ${large}; ${size}`,
    ],
    [
      { options: { subnet: "12.0.0.0/7" } },
      `cannot use subnet 12.0.0.0/7 (--subnet): ${large}; ${size}`,
    ],
  ];
  for (const [given, message] of cases) assertEquals(refusal(given), message);
});

Deno.test("planNetwork() refuses a subnet that something on the host uses", () => {
  const apptainer = "it overlaps Apptainer's own bridge network 10.22.0.0/16";
  const flannel1 = link("flannel.1", ["10.244.1.0/32"]);
  const cases: [string, Case, string][] = [
    ["10.22.0.0/16", {}, apptainer],
    ["10.22.7.0/24", {}, apptainer],
    ["10.0.0.0/8", {}, apptainer],
    ["192.0.2.128/25", {}, "it overlaps eth0 (192.0.2.10/24)"],
    ["192.0.2.0/24", {}, "it overlaps eth0 (192.0.2.10/24)"],
    ["127.0.0.0/24", {}, "it overlaps lo (127.0.0.1/8)"],
    [
      "172.17.1.0/24",
      { links: [link("docker0", ["172.17.0.1/16"])] },
      "it overlaps docker0 (172.17.0.1/16)",
    ],
    [
      "10.96.0.0/24",
      { routes: [route("10.96.0.0/16", "eth0")] },
      "it overlaps the host's route to 10.96.0.0/16 by eth0",
    ],
    [
      "10.96.0.0/24",
      { routes: [route("10.96.0.9/32", "tun0")] },
      "it overlaps the host's route to 10.96.0.9/32 by tun0",
    ],
    [
      "10.96.0.0/24",
      { routes: [route("10.96.0.0/12", undefined)] },
      "it overlaps the host's route to 10.96.0.0/12 by no device",
    ],
    ["10.244.1.0/24", { links: [flannel1] }, "it overlaps flannel.1 (10.244.1.0/32)"],
    [
      "10.244.2.0/24",
      { routes: [route("10.244.2.0/24", "flannel.1")] },
      "it overlaps the host's route to 10.244.2.0/24 by flannel.1",
    ],
  ];
  for (const [subnet, given, why] of cases) {
    assertEquals(
      refusal({ ...given, options: { subnet } }),
      `cannot use subnet ${subnet}: ${why}; choose a subnet that nothing on this host uses, with --subnet`,
    );
  }
});

Deno.test("planNetwork() refuses a subnet that is not for hosts", () => {
  for (const subnet of ["0.0.0.0/8", "224.0.0.0/24", "239.1.2.0/24", "255.255.255.0/24"]) {
    assertEquals(
      refusal({ options: { subnet } }),
      `cannot use subnet ${subnet}: its addresses are not for hosts; use a private network, such as 10.96.0.0/24`,
    );
  }
});

Deno.test("planNetwork() refuses Flannel's subnet only if something else uses it", () => {
  const cases: [Case, string | undefined][] = [
    [{ routes: [route("10.244.0.0/16", "flannel-wg")] }, undefined],
    [{ routes: [route("10.244.2.0/24", "eth0")] }, undefined],
    [{ links: [link("cni0", ["10.244.1.1/24"])] }, "it overlaps cni0 (10.244.1.1/24)"],
    [
      { routes: [route("10.244.1.0/24", "cni0")] },
      "it overlaps the host's route to 10.244.1.0/24 by cni0",
    ],
    [
      { routes: [route("10.0.0.0/8", "flannel.1")] },
      "it overlaps the host's route to 10.0.0.0/8 by flannel.1",
    ],
    [
      { routes: [route("10.244.0.0/16", undefined)] },
      "it overlaps the host's route to 10.244.0.0/16 by no device",
    ],
  ];
  for (const [given, why] of cases) {
    if (why === undefined) plan({ ...given, flannel: flannel() });
    else {
      assertEquals(
        refusal({ ...given, flannel: flannel() }),
        `cannot use subnet 10.244.1.0/24: ${why}; ` +
          "choose a subnet that nothing on this host uses, with --subnet",
      );
    }
  }
});

Deno.test("planNetwork() accepts an existing bridge, empty or with the gateway", () => {
  for (const addresses of [[], ["10.96.0.1/24"]]) {
    const bridge = link("hpk-bridge", addresses, { kind: "bridge" });
    const routes = [route("10.96.0.0/24", "hpk-bridge")];
    assertEquals(plan({ links: [bridge], routes, onBridge: [STATIC_POD] }).bridge, "hpk-bridge");
  }
});

Deno.test("planNetwork() refuses a bridge that is not one, or has another address", () => {
  const rename = "choose another name with 'bridge' in /etc/hpktainer/config.ini or HPK_BRIDGE";
  const other = "use its subnet, or choose another name with HPK_BRIDGE";
  const stop = "stop the containers on it first (hpktainer ps), or use their subnet";
  const has = (address: string) => `it has the address ${address} and 10.96.0.1/24 is wanted`;
  const cases: [string[], string | undefined, boolean, string][] = [
    [[], undefined, false, `an interface of that name is hardware; ${rename}`],
    [[], "veth", false, `an interface of that name is a veth; ${rename}`],
    [["10.97.0.1/24"], "bridge", false, `${has("10.97.0.1/24")}; ${other}`],
    [["10.96.0.1/16"], "bridge", false, `${has("10.96.0.1/16")}; ${other}`],
    [["10.96.0.2/24"], "bridge", false, `${has("10.96.0.2/24")}; ${other}`],
    [["10.96.0.1/24", "10.97.0.1/24"], "bridge", false, `${has("10.97.0.1/24")}; ${other}`],
    [["10.97.0.1/24"], "bridge", true, `${has("10.97.0.1/24")}; ${stop}`],
  ];
  for (const [addresses, kind, inUse, why] of cases) {
    const links = [link("hpk-bridge", addresses, { kind })];
    const onBridge = inUse ? [STATIC_POD] : [];
    assertEquals(refusal({ links, onBridge }), `cannot use the bridge hpk-bridge: ${why}`);
  }
  assertEquals(
    refusal({ options: { subnet: "10.96.0.0/24", bridge: "eth0" } }),
    `cannot use the bridge eth0: an interface of that name is hardware; ${rename}`,
  );
});

Deno.test("planNetwork() refuses an uplink that does not exist", () => {
  assertEquals(
    refusal({ options: { subnet: "10.96.0.0/24", uplink: "eth9" } }),
    "cannot use the uplink eth9: no interface has that name; see 'ip link' for the names",
  );
});

Deno.test("planNetwork() refuses an address that a container cannot have", () => {
  const cases: [string, string][] = [
    ["10.96.1.7", "it lies outside the subnet 10.96.0.0/24"],
    ["10.95.255.255", "it lies outside the subnet 10.96.0.0/24"],
    ["10.96.0.1", "it is the gateway's address"],
    ["10.96.0.0", "it is the network address"],
    ["10.96.0.255", "it is the broadcast address"],
    ["10.96.0.7/24", "it is not an IPv4 address"],
    ["10.96.0", "it is not an IPv4 address"],
    ["fd00::7", "it is not an IPv4 address"],
    ["any", "it is not an IPv4 address"],
  ];
  for (const [ip, why] of cases) {
    assertEquals(
      refusal({ ip }),
      `cannot give the container the address ${ip}: ${why}; ` +
        "choose a free one in 10.96.0.0/24, or leave --ip out",
    );
  }
});

Deno.test("planNetwork() lets containers of Flannel's earlier subnet share the bridge", () => {
  const earlier = { mode: "flannel", subnet: "10.244.9.0/24", gateway: "10.244.9.1" } as const;
  const on = (address: string, onBridge: Case["onBridge"], options = {}) => ({
    links: [link("hpk-bridge", [address], { kind: "bridge" })],
    ...("subnet" in options ? {} : { flannel: flannel("10.244.1.1/24") }),
    options,
    onBridge: onBridge!,
  });
  assertEquals(formatCidr(plan(on("10.244.9.1/24", [earlier])).subnet), "10.244.1.0/24");
  const refused: [string, Case][] = [
    ["nobody's address", on("10.244.9.1/24", [])],
    ["another's address", on("10.244.8.1/24", [earlier])],
    ["another prefix", on("10.244.9.1/25", [earlier])],
    ["a static container's", on("10.97.0.1/24", [STATIC_POD])],
    ["Flannel's, under a static one", on("10.244.9.1/24", [earlier], { subnet: "10.96.0.0/24" })],
    [
      "one that overlaps",
      on("10.244.1.1/25", [{
        ...{ mode: "flannel", subnet: "10.244.1.0/25", gateway: "10.244.1.1" } as const,
      }]),
    ],
  ];
  for (const [what, given] of refused) {
    assertStringIncludes(refusal(given), "cannot use the bridge hpk-bridge: it has", what);
  }
});

Deno.test("planNetwork() leaves room for VXLAN over IPv6 if flanneld does not", () => {
  const mtu = (uplinkMtu: number, device: string) =>
    planNetwork({
      settings: settings({}),
      ip: undefined,
      isAutomatic: false,
      flannel: flannel(),
      facts: { links: [link("eth0", ["192.0.2.10/24"], { mtu: uplinkMtu })], routes: [DEFAULT] },
      routes6: [{
        ...{ destination: parseCidr6("fd00:244:0:7::/64")!, device },
        ...{ type: "unicast", protocol: "boot" },
      }],
      onBridge: () => [],
    }).mtu;
  assertEquals(mtu(1500, "flannel-v6.1"), 1430);
  assertEquals(mtu(1520, "flannel-v6.1"), 1450);
  assertEquals(mtu(1500, "eth0"), 1450);
});
