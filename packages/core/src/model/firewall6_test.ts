import { assertEquals } from "@std/assert";
import { firewallChanges } from "./firewall.ts";
import { wantedChains6 } from "./firewall6.ts";
import type { NetworkRecord6 } from "./ledger_record.ts";

const NETWORK: NetworkRecord6 = {
  bridge: "hpk-bridge",
  subnet: "fd00:96::/64",
  podNetwork: "fd00:96::/64",
  masquerade: true,
  uplink: null,
};

/** Chains as "table name: rule", a line each. */
const written = (networks: NetworkRecord6[]) =>
  wantedChains6(networks).flatMap(({ table, rules }) => rules.map((rule) => `${table}: ${rule}`));

const CLAMP = "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu";

Deno.test("wantedChains6() accepts, masquerades and clamps, and closes the metadata service", () => {
  assertEquals(written([NETWORK]), [
    "filter: -d fd00:ec2::254/128 -i hpk-bridge -j REJECT --reject-with icmp6-adm-prohibited",
    "filter: -i hpk-bridge -j ACCEPT",
    "filter: -o hpk-bridge -j ACCEPT",
    "nat: -s fd00:96::/64 -d fd00:96::/64 -j RETURN",
    "nat: -s fd00:96::/64 -d ff00::/8 -j RETURN",
    "nat: -s fd00:96::/64 ! -o hpk-bridge -j MASQUERADE",
    `mangle: -i hpk-bridge ${CLAMP}`,
    `mangle: -o hpk-bridge ${CLAMP}`,
  ]);
});

Deno.test("wantedChains6() masquerades on the uplink that is named, and not where flanneld does", () => {
  const nat = (network: NetworkRecord6) =>
    written([network]).filter((line) => line.startsWith("nat"));
  assertEquals(
    nat({ ...NETWORK, uplink: "eth1" }).at(-1),
    "nat: -s fd00:96::/64 -o eth1 -j MASQUERADE",
  );
  assertEquals(nat({ ...NETWORK, masquerade: false }), []);
});

Deno.test("wantedChains6() has each bridge's rules once for several subnets", () => {
  const lines = written([NETWORK, { ...NETWORK, subnet: "fd00:97::/64" }]);
  assertEquals(lines.filter((line) => line.startsWith("filter")).length, 3);
  assertEquals(lines.filter((line) => line.startsWith("nat")).length, 6);
});

Deno.test("the chains are those that tear-down removes", () => {
  const saved = "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n";
  const made = firewallChanges(saved, wantedChains6([NETWORK]));
  const asSaved = made.replaceAll("-I FORWARD 1", "-A FORWARD").replaceAll("-I POST", "-A POST")
    .replaceAll("POSTROUTING 1", "POSTROUTING");
  const removed = firewallChanges(asSaved, []);
  assertEquals(removed.match(/^-X .*$/gm), [
    "-X HPK-FORWARD",
    "-X HPK-POSTROUTING",
    "-X HPK-FORWARD",
  ]);
});
