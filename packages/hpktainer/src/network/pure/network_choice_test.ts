import { assertEquals, assertThrows } from "@std/assert";
import {
  AUTOMATIC_SUBNETS,
  formatCidr,
  HpkError,
  type Link,
  parseCidr,
  parseInterfaceAddress,
  parseIpv4,
  resolveSettings,
  type Route,
  type SettingKey,
} from "@hpk/core";
import {
  type ChoiceInputs,
  decideNetwork,
  type Taken,
  takenRanges,
  withChoice,
} from "./network_choice.ts";

const SUBNETS = AUTOMATIC_SUBNETS.map(formatCidr) as [string, string, ...string[]];
const [FIRST, SECOND] = SUBNETS;

interface Case {
  readonly options?: Partial<Record<SettingKey, string>>;
  readonly inForce?: string;
  readonly hasSubnetFile?: boolean;
  readonly onBridge?: ReturnType<ChoiceInputs["onBridge"]>;
  readonly runsFlanneld?: boolean;
  readonly remembered?: string;
  readonly taken?: readonly string[];
}

function inputsOf(given: Case): ChoiceInputs {
  return {
    settings: resolveSettings({
      file: undefined,
      environment: {},
      options: given.options ?? {},
    }).settings,
    inForce: given.inForce === undefined ? undefined : parseCidr(given.inForce),
    hasSubnetFile: given.hasSubnetFile ?? false,
    onBridge: () => given.onBridge ?? [],
    runsFlanneld: () => given.runsFlanneld ?? false,
    remembered: () => given.remembered === undefined ? undefined : parseCidr(given.remembered),
    taken: () => (given.taken ?? []).map((text): Taken => ({ cidr: parseCidr(text)!, by: "eth0" })),
  };
}

const ON_STATIC = [{ mode: "static", subnet: "10.50.0.0/24" }] as const;
const ON_FLANNEL = [{ mode: "flannel", subnet: "10.244.1.0/24" }] as const;

Deno.test("decideNetwork() considers settings, running containers, Flannel, and free subnets", () => {
  // The facts; the mode, the subnet, and whether hpktainer chose it.
  const cases: [Case, string, string | undefined, boolean][] = [
    [{ options: { subnet: "10.1.0.0/24" }, hasSubnetFile: true }, "static", undefined, false],
    [{ options: { network: "flannel" }, inForce: FIRST }, "flannel", undefined, false],
    [{ options: { network: "static" } }, "static", undefined, false],
    [{ options: { wait: "5" }, remembered: FIRST }, "flannel", undefined, false],
    [{ inForce: SECOND, hasSubnetFile: true, runsFlanneld: true }, "static", SECOND, true],
    // It may conflict by now: the plan reports that.
    [{ inForce: SECOND, taken: [SECOND] }, "static", SECOND, true],
    [{ hasSubnetFile: true, remembered: FIRST, onBridge: ON_STATIC }, "flannel", undefined, false],
    [{ onBridge: ON_FLANNEL, remembered: FIRST }, "flannel", undefined, false],
    [{ onBridge: ON_STATIC, runsFlanneld: true }, "static", "10.50.0.0/24", false],
    [{}, "static", FIRST, true],
    [{ remembered: SECOND }, "static", SECOND, true],
    // From an earlier version, or an administrator.
    [{ remembered: "10.7.0.0/20" }, "static", "10.7.0.0/20", true],
    [{ taken: ["10.213.97.0/24"] }, "static", SECOND, true],
    [{ taken: SUBNETS.slice(0, -1) }, "static", SUBNETS.at(-1), true],
    [{ taken: ["10.0.0.0/8"] }, "static", SUBNETS[2], true],
  ];
  for (const [given, mode, subnet, isAutomatic] of cases) {
    const choice = decideNetwork(inputsOf(given));
    assertEquals(
      [choice.mode, choice.subnet && formatCidr(choice.subnet), choice.isAutomatic, choice.change],
      [mode, subnet, isAutomatic, undefined],
      JSON.stringify(given),
    );
  }
});

Deno.test("decideNetwork() reads no more than it needs", () => {
  const never = () => {
    throw new Error("it was read");
  };
  const blind = { onBridge: never, runsFlanneld: never, remembered: never, taken: never };
  for (const given of [{ hasSubnetFile: true }, { inForce: FIRST }, { options: { wait: "1" } }]) {
    decideNetwork({ ...inputsOf(given), ...blind });
  }
});

Deno.test("decideNetwork() reports when the subnet differs from last time", () => {
  const { subnet, change } = decideNetwork(
    inputsOf({ remembered: FIRST, taken: ["10.213.100.0/24"] }),
  );
  assertEquals(formatCidr(subnet!), SECOND);
  assertEquals(change, `containers are on ${SECOND} from now on: ${FIRST} overlaps eth0`);
});

Deno.test("decideNetwork() fails while Flannel starts, and if nothing is free", () => {
  const cases: [Case, RegExp][] = [
    [
      { runsFlanneld: true, remembered: FIRST },
      /^cannot give the container an address: flanneld runs, and has not written \/run\/flannel\/subnet\.env yet; wait .*--wait SECONDS/,
    ],
    [
      { taken: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"] },
      /^cannot choose a subnet for containers: 10\.213\.96\.0\/21 overlaps eth0, .*; .*--subnet CIDR/,
    ],
  ];
  for (const [given, message] of cases) {
    const error = assertThrows(() => decideNetwork(inputsOf(given)), HpkError);
    assertEquals(message.test(error.message), true, error.message);
  }
});

Deno.test("takenRanges() has the ranges of others, but not default routes", () => {
  const link = (name: string, address: string): Link => ({
    ...{ name, mtu: 1500, kind: undefined, up: true, mac: "" },
    addresses: [parseInterfaceAddress(address)!],
  });
  const route = (destination: string, device: string | undefined): Route => ({
    destination: parseCidr(destination)!,
    device,
    metric: 0,
  });
  const links = [link("eth0", "192.0.2.10/24"), link("hpk-bridge", "10.213.96.1/21")];
  const routes = [
    ...[route("0.0.0.0/0", "eth0"), route("0.0.0.0/1", "tun0"), route("128.0.0.0/1", "tun0")],
    ...[route("10.8.0.0/16", "tun0"), route("10.9.0.0/16", undefined)],
    route("10.213.96.0/21", "hpk-bridge"),
  ];
  const taken = takenRanges({ links }, routes, [parseIpv4("10.1.1.1")!], "hpk-bridge");
  assertEquals(taken.map(({ cidr, by }) => [formatCidr(cidr), by]), [
    ["10.22.0.0/16", "Apptainer's own bridge network"],
    ["192.0.2.0/24", "eth0 (192.0.2.10/24)"],
    ["10.8.0.0/16", "the route to 10.8.0.0/16 by tun0"],
    ["10.9.0.0/16", "the route to 10.9.0.0/16 by no device"],
    ["10.1.1.1/32", "the DNS server 10.1.1.1/32"],
  ]);
});

Deno.test("withChoice() acts as if the choice had been set", () => {
  const { settings } = inputsOf({});
  const chosen = withChoice(settings, decideNetwork(inputsOf({})));
  assertEquals([chosen.network, chosen.subnet], ["static", FIRST]);
  const set = inputsOf({ options: { subnet: "10.1.0.0/24" } });
  const kept = withChoice(set.settings, decideNetwork(set));
  assertEquals([kept.network, kept.subnet], ["static", "10.1.0.0/24"]);
});
