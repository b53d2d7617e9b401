/**
 * The text side of snapshots, without namespaces:
 *
 *     what a tool printed ── normalize… ──► lines ── diffSnapshots ──► differences
 */
import { assertEquals } from "@std/assert";
import { normalizeFirewall, normalizeIpJson, normalizeMounts } from "./_normalize.ts";
import { diffSnapshots, SECTIONS, type Snapshot } from "./snapshot_diff.ts";

function snapshotOf(parts: Partial<Snapshot>): Snapshot {
  const empty = Object.fromEntries(SECTIONS.map((section) => [section, []]));
  return { ...empty, ...parts } as Snapshot;
}

Deno.test("a table without rules is the same as none", () => {
  const empty =
    "# Generated\n*nat\n:PREROUTING ACCEPT [3:180]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n# Completed\n";
  assertEquals(normalizeFirewall(empty), []);
  assertEquals(normalizeFirewall(""), []);
});

Deno.test("policies, chains and rules are kept in order, without counters", () => {
  const text = "*filter\n:INPUT ACCEPT [9:9]\n:FORWARD DROP [1:60]\n:MINE - [0:0]\n" +
    "[5:300] -A FORWARD -j MINE\n-A MINE -j RETURN\nCOMMIT\n";
  assertEquals(normalizeFirewall(text), [
    "filter :FORWARD DROP",
    "filter :MINE -",
    "filter -A FORWARD -j MINE",
    "filter -A MINE -j RETURN",
  ]);
});

Deno.test("text other than iptables-save output stays, so that a missing tool shows", () => {
  assertEquals(normalizeFirewall("sh: iptables-save: not found"), ["sh: iptables-save: not found"]);
});

Deno.test("links become a line each, sorted, without indices and timers", () => {
  const text = JSON.stringify([
    { ifindex: 7, ifname: "v0", mtu: 1500, linkinfo: { info_data: { hello_timer: 0.4, stp: 0 } } },
    { ifindex: 1, ifname: "lo", mtu: 65536, link_index: 3 },
    {},
  ]);
  assertEquals(normalizeIpJson(text, ["ifname"]), [
    "lo mtu=65536",
    "v0 mtu=1500 linkinfo.info_data.stp=0",
  ]);
});

Deno.test("addresses carry their link's name, but not their lifetimes", () => {
  const text = JSON.stringify([{
    ifname: "lo",
    addr_info: [{ local: "127.0.0.1", prefixlen: 8, valid_life_time: 4294967295 }],
  }]);
  assertEquals(normalizeIpJson(text, ["ifname", "local"], "addr_info"), [
    "lo 127.0.0.1 prefixlen=8",
  ]);
});

Deno.test("an error message in place of JSON stays", () => {
  assertEquals(normalizeIpJson("[]\nfailed: 1", ["dst"]), ["failed: 1"]);
});

Deno.test("mounts lose ids and peer groups, and the one every ip netns add leaves", () => {
  const text = "36 35 98:0 / /mnt rw,noatime shared:7 master:3 - tmpfs x rw,size=4k\n" +
    "37 36 0:24 /netns /run/netns rw shared:9 - tmpfs run rw\n" +
    "38 37 0:4 net:[4026532266] /run/netns/a rw shared:5 - nsfs nsfs rw\n";
  assertEquals(normalizeMounts(text), [
    "/mnt / tmpfs x rw,noatime shared master",
    "/run/netns/a net nsfs nsfs rw shared",
  ]);
});

Deno.test("differences name the section, and count lines that are there twice", () => {
  const before = snapshotOf({ processes: ["sleep 1", "sleep 1"], links: ["lo mtu=1"] });
  const after = snapshotOf({ processes: ["sleep 1"], links: ["lo mtu=2"] });
  assertEquals(diffSnapshots(before, after), [
    "links - lo mtu=1",
    "links + lo mtu=2",
    "processes - sleep 1",
  ]);
  assertEquals(diffSnapshots(before, before), []);
});
