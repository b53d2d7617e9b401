/**
 * What the product relies on in iptables-restore --noflush, on a host without links but lo:
 *
 *     POSTROUTING (nat) ── -j HPK-TEST ── rules of one table, changed as a whole or not at all
 */
import { assert, assertEquals } from "@std/assert";
import {
  iptables,
  PrivateHost,
  privateHosts,
  type RunResult,
  snapshot,
  testIf,
} from "../harness/mod.ts";

const needs = [...privateHosts, iptables];

function restore(host: PrivateHost, lines: readonly string[]): Promise<RunResult> {
  return host.run("iptables-restore", ["-w", "--noflush"], {
    stdin: `${lines.join("\n")}\n`,
    check: false,
  });
}

const FOREIGN = "iptables -t nat -A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE";
const GOOD = ["*nat", ":HPK-TEST - [0:0]", "-A HPK-TEST -s 10.0.0.0/8 -j MASQUERADE"];

testIf(
  { name: "iptables-restore --noflush adds a chain and leaves others' rules", needs },
  async () => {
    await using host = await PrivateHost.create();
    await host.sh(FOREIGN);
    const { code, stderr } = await restore(host, [...GOOD, "COMMIT"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals((await snapshot(host)).firewall4, [
      "nat :HPK-TEST -",
      "nat -A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE",
      "nat -A HPK-TEST -s 10.0.0.0/8 -j MASQUERADE",
    ]);
  },
);

testIf(
  { name: "naming a chain again empties it, in one step with its new rules", needs },
  async () => {
    await using host = await PrivateHost.create();
    await restore(host, [...GOOD, "COMMIT"]);
    await restore(host, [
      "*nat",
      ":HPK-TEST - [0:0]",
      "-A HPK-TEST -s 10.1.0.0/16 -j ACCEPT",
      "COMMIT",
    ]);
    assertEquals((await snapshot(host)).firewall4, [
      "nat :HPK-TEST -",
      "nat -A HPK-TEST -s 10.1.0.0/16 -j ACCEPT",
    ]);
  },
);

for (
  const [what, line] of [
    ["a word that is not a command", "bogus"],
    ["a jump to no chain", "-A HPK-TEST -j NOSUCH"],
    ["the removal of a rule that is not there", "-D HPK-TEST -s 10.7.7.7/32 -j ACCEPT"],
  ] as const
) {
  testIf(
    { name: `${what} makes iptables-restore change nothing in that table`, needs },
    async () => {
      await using host = await PrivateHost.create();
      await host.sh(FOREIGN);
      const before = await snapshot(host);
      const { code, stderr } = await restore(host, [...GOOD, line, "COMMIT"]);
      assert(code !== 0);
      assert(stderr !== "");
      assertEquals((await snapshot(host)).firewall4, before.firewall4);
    },
  );
}

testIf(
  { name: "tables before a bad one are changed: only each table is atomic", needs },
  async () => {
    await using host = await PrivateHost.create();
    const { code } = await restore(host, [
      ...GOOD,
      "COMMIT",
      "*filter",
      "-A FORWARD -j NOSUCH",
      "COMMIT",
    ]);
    assert(code !== 0);
    assertEquals((await snapshot(host)).firewall4, [
      "nat :HPK-TEST -",
      "nat -A HPK-TEST -s 10.0.0.0/8 -j MASQUERADE",
    ]);
  },
);
