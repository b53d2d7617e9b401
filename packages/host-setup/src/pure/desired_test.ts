import { assertEquals, assertThrows } from "@std/assert";
import { HpkError, parseCidr, parseHostIni, parseInterfaceAddress } from "@hpk/core";
import { resolveSetup } from "./choices.ts";
import { checkOwnership, desiredState } from "./desired.ts";
import { NEEDS, readDistribution } from "./distribution.ts";
import type { HostLook } from "./host_look.ts";
import { keyOf } from "./item.ts";
import { EMPTY_JOURNAL } from "./journal.ts";

/** A fresh EC2 instance with jumbo frames, on which all programs are installed. */
const EC2: HostLook = {
  links: [{
    name: "enX0",
    kind: undefined,
    master: undefined,
    promiscuous: false,
    mtu: 9001,
    addresses: [parseInterfaceAddress("172.31.7.8/20")!],
  }],
  routes: [{ destination: parseCidr("0.0.0.0/0")!, device: "enX0", metric: 512, mtu: undefined }],
  hasIpv6: false,
  ruleSets: [{
    id: "iptables",
    save: "/sbin/iptables-save",
    restore: "/sbin/iptables-restore",
    rules: "",
  }],
  rulesError: undefined,
  backend: "nft",
  distribution: readDistribution('ID="amzn"\nPRETTY_NAME="Amazon Linux 2023"\n'),
  apptainer: { networkDirectory: "/etc/apptainer/network", pluginDirectories: [] },
  uses: [],
  networks: [],
  modules: {
    loaded: "",
    builtin: "",
    dependencies:
      "k/bridge.ko:\nk/veth.ko:\nk/tun.ko:\nk/nf_conntrack.ko:\nk/nf_tables.ko:\nk/nft_compat.ko:\n",
    inKernel: [],
  },
  ini: parseHostIni(""),
  instances: [],
  journal: EMPTY_JOURNAL,
  bridgeNetfilter: false,
  firewalld: false,
  selinux: false,
  systemd: true,
  missing: [],
  ethtool: "/usr/sbin/ethtool",
  flannel: undefined,
  networkLine: null,
  self: "/usr/local/bin/host-setup",
};

const SETTINGS = resolveSetup({}, EC2.ini, {});
const desired = (more: Partial<HostLook> = {}, withPackages = true) =>
  desiredState({ ...EC2, ...more }, SETTINGS, withPackages);
const keys = (more: Partial<HostLook> = {}, withPackages = true) =>
  desired(more, withPackages).wanted.map(keyOf);

Deno.test("desiredState of a fresh EC2 instance: every thing, in order, without notes", () => {
  const { wanted, notes, problems, network, choices } = desired();
  assertEquals(wanted.map(keyOf), [
    "package iproute",
    "package iptables-nft",
    "package ethtool",
    "package util-linux",
    "package cni-plugins",
    "module bridge",
    "module veth",
    "module tun",
    "module nf_conntrack",
    "module nf_tables",
    "module nft_compat",
    "directory /etc/modules-load.d",
    "file /etc/modules-load.d/hpktainer.conf",
    "sysctl net/ipv4/ip_forward",
    "sysctl net/ipv4/conf/all/rp_filter",
    "sysctl net/ipv4/conf/default/rp_filter",
    "sysctl net/ipv4/conf/enX0/rp_filter",
    "directory /etc/sysctl.d",
    "file /etc/sysctl.d/99-zz-hpktainer.conf",
    "directory /etc/hpktainer",
    "directory /dev/net",
    "device /dev/net/tun",
    "bridge hpk0",
    "directory /etc/apptainer",
    "directory /etc/apptainer/network",
    "file /etc/apptainer/network/50_hpk.conflist",
    "firewall iptables",
    "offload hpk0",
    "directory /etc/udev",
    "directory /etc/udev/rules.d",
    "file /etc/udev/rules.d/90-hpktainer-offload.rules",
    "directory /etc/systemd",
    "directory /etc/systemd/system",
    "file /etc/systemd/system/hpk-host-setup.service",
    "directory /etc/systemd/system/multi-user.target.wants",
    "symlink /etc/systemd/system/multi-user.target.wants/hpk-host-setup.service",
  ]);
  assertEquals([notes, problems], [[], []]);
  assertEquals([network.mtu, choices.subnet], [9001, "10.72.0.0/16"]);
});

Deno.test("desiredState skips what it cannot judge", () => {
  assertEquals(desired({}, false).passedOver, ["package"]);
  assertEquals(keys({}, false).some((key) => key.startsWith("package")), false);
  const unreadable = desired({ ruleSets: [], rulesError: "only root may read it" });
  assertEquals(unreadable.passedOver, ["firewall"]);
  assertEquals(unreadable.problems, ["the packet filter cannot be read: only root may read it"]);
});

Deno.test("desiredState reports missing programs only if it does not install them", () => {
  const missing = NEEDS.filter(({ programs }) => programs.includes("ethtool"));
  assertEquals(desired({ missing }).problems, []);
  assertEquals(desired({ missing }, false).problems.length, 1);
  const unknown = readDistribution("ID=gentoo");
  assertEquals(desired({ missing, distribution: unknown }).problems.length, 1);
});

Deno.test("desiredState: without Apptainer, systemd, ethtool or modules the rest is wanted, with a note", () => {
  assertEquals(desired({ apptainer: undefined }).notes.length, 1);
  assertEquals(keys({ apptainer: undefined }).some((key) => key.includes("conflist")), false);
  assertEquals(desired({ systemd: false }).notes.length, 1);
  assertEquals(keys({ ethtool: undefined }).some((key) => key.includes("udev")), false);
  const bare = { ...EC2.modules, builtin: undefined, dependencies: undefined };
  assertEquals(desired({ modules: bare }).notes.length, 1);
  assertEquals(keys({ modules: bare }).some((key) => key.startsWith("module")), false);
});

Deno.test("desiredState: a second packet filter, firewalld, ports of running instances", () => {
  const second = { ...EC2.ruleSets[0]!, id: "iptables-legacy" };
  const both = desired({ ruleSets: [EC2.ruleSets[0]!, second] });
  const other = both.wanted.find(({ id }) => id === "iptables-legacy")!;
  assertEquals([other.value.includes("*filter"), other.value.includes("*nat")], [true, false]);
  assertEquals(keys({ firewalld: true }).includes("firewalld hpk0"), true);
  const ini = parseHostIni("80 = instance:web:80\n81 = instance:db:81\n");
  const ports = keys({ ini, instances: ["web"] }).filter((key) => key.startsWith("port"));
  assertEquals(ports, ["port web 80:80/tcp"]);
});

Deno.test("desiredState: where Flannel is installed hpktainer is to use it, unless it is told otherwise", () => {
  const setting = "setting /etc/hpktainer/config.ini";
  const flannel = "/usr/bin/flanneld";
  // Flannel, the line that is there; whether ours is wanted, and notes.
  const cases: [string | undefined, string | null, boolean, number][] = [
    [undefined, null, false, 0],
    [undefined, "network = static", false, 0],
    [flannel, null, true, 0],
    [flannel, "network = flannel", true, 0],
    [flannel, "network = auto", false, 1],
  ];
  for (const [found, networkLine, isWanted, notes] of cases) {
    const state = desired({ flannel: found, networkLine });
    assertEquals(state.wanted.map(keyOf).includes(setting), isWanted);
    assertEquals(state.notes.length, notes);
  }
});

Deno.test("desiredState warns of a program at a temporary path", () => {
  assertEquals(desired({ self: "/tmp/host-setup" }).notes.length, 1);
});

Deno.test("checkOwnership rejects a file that is not ours", () => {
  const isOurs = (text: string) => text === "ours";
  checkOwnership(new Map([["/a", null], ["/b", "ours"]]), isOurs);
  assertThrows(
    () => checkOwnership(new Map([["/c", "theirs"]]), isOurs),
    HpkError,
    "cannot write /c",
  );
});
