import { assertEquals } from "@std/assert";
import { type ModuleFacts, moduleState, wantedModules } from "./kernel_modules.ts";

const FACTS: ModuleFacts = {
  loaded: "veth 45056 0 - Live 0x0\nnf_conntrack 200704 3 - Live 0x0\n",
  builtin: "kernel/net/bridge/bridge.ko\nkernel/drivers/net/tun.ko\n",
  dependencies:
    "kernel/net/netfilter/nft-compat.ko.xz: kernel/net/netfilter/nf_tables.ko.xz\nkernel/net/netfilter/nf_tables.ko.xz:\n",
  inKernel: ["overlay"],
};

const STATES: readonly (readonly [string, string | undefined])[] = [
  ["veth", "loaded"],
  ["bridge", "built in"],
  ["overlay", "built in"],
  ["nft_compat", "loadable"],
  ["nf-tables", "loadable"],
  ["iptable_nat", "absent"],
];

for (const [name, state] of STATES) {
  Deno.test(`moduleState: ${name} is ${state}`, () => {
    assertEquals(moduleState(name, FACTS), state as "loaded");
  });
}

Deno.test("without the kernel's directory, moduleState knows only modules that show elsewhere", () => {
  const bare = { ...FACTS, builtin: undefined, dependencies: undefined };
  assertEquals(moduleState("tun", bare), undefined);
  assertEquals(moduleState("veth", bare), "loaded");
  assertEquals(moduleState("overlay", bare), "built in");
});

Deno.test("wantedModules depends on the back end, and never includes br_netfilter", () => {
  const names = (backend: "nft" | "legacy") => wantedModules(backend).map(({ name }) => name);
  assertEquals(names("nft").includes("nft_compat"), true);
  assertEquals(names("legacy").includes("iptable_mangle"), true);
  assertEquals([...names("nft"), ...names("legacy")].includes("br_netfilter"), false);
});
