/**
 * Booted containers on a host that any of their network managers would change if it ran.
 *
 *   [ internet ] 198.51.100.1 ── enX0 198.51.100.11 [ host ] ib0 10.50.0.1 ── ib0-peer
 *                                                      └── hpk-bridge 10.96.0.1 ── web
 */
import { assertEquals } from "@std/assert";
import {
  Internet,
  linksReady,
  PrivateHost,
  type RunResult,
  type Snapshot,
} from "../harness/mod.ts";
import { hpk, HPKTAINER, SUBNET } from "../harness/hpktainer.ts";
import { bootImage } from "./_image.ts";

/** The host's own address. */
export const HOST_ADDRESS = "198.51.100.11";

/** How long a boot may take where the machine is busy. */
export const BOOT = { timeoutMs: 200_000 } as const;

/**
 * Configuration in the container that would change the host: by systemd-networkd, ifupdown,
 * nftables and systemd-sysctl.
 */
const MISCHIEF: Readonly<Record<string, string>> = {
  "/etc/systemd/network/10-mischief.network":
    "[Match]\nName=ib0 enX0\n[Network]\nAddress=10.77.0.1/24\n",
  "/etc/network/interfaces": "auto ib0\niface ib0 inet static\n  address 10.78.0.1/24\n",
  "/etc/nftables.conf": "flush ruleset\ntable inet mischief { }\n",
  "/etc/sysctl.d/99-mischief.conf": "net.ipv4.conf.all.rp_filter=1\n",
};

/** As systemd does on a real host: an automount point that nobody serves in a container. */
const AUTOMOUNT = "if grep -q autofs /proc/filesystems && [ -d /proc/sys/fs/binfmt_misc ]; then " +
  "mkfifo /run/automount; exec 9<>/run/automount; " +
  "mount -n -t autofs -o fd=9,pgrp=1,minproto=5,maxproto=5,direct " +
  "systemd-1 /proc/sys/fs/binfmt_misc; fi";

/** A host with an uplink, an interface of an InfiniBand name and rules of its own. */
export async function bootHost(): Promise<{ host: PrivateHost; internet: Internet }> {
  const internet = await Internet.create();
  const host = await PrivateHost.create({ name: "node" });
  await internet.attach(host, { ifName: "enX0", address: `${HOST_ADDRESS}/24` });
  const files = Object.entries(MISCHIEF).map(([path, text]) =>
    `mkdir -p /etc/mischief${path.replace(/\/[^/]*$/, "")}\n` +
    `cat >/etc/mischief${path} <<'END'\n${text}END`
  );
  await host.sh([
    ...files,
    "ip link add ib0 type veth peer name ib0-peer",
    "ip address add 10.50.0.1/24 dev ib0",
    "ip link set ib0-peer up",
    "ip link set ib0 up",
    "ip route add 10.51.0.0/24 via 10.50.0.2",
    "ip rule add from 10.52.0.0/24 table 52",
    "iptables -t nat -A POSTROUTING -s 10.50.0.0/24 -j MASQUERADE",
    "iptables -A FORWARD -s 10.53.0.0/24 -j DROP",
    AUTOMOUNT,
  ].join("\n"));
  await linksReady(host, "ib0", "ib0-peer");
  return { host, internet };
}

/** Binds that give the container its configuration. */
export const MISCHIEF_BINDS: readonly string[] = Object.keys(MISCHIEF).flatMap((path) => [
  "--bind",
  `/etc/mischief${path}:${path}`,
]);

/** Boots an instance of the boot image; its configuration would change the host. */
export async function boot(
  host: PrivateHost,
  name: string,
  options: readonly string[],
  env: Record<string, string> = {},
): Promise<RunResult> {
  const args = ["instance", "start", "--boot", ...options, ...MISCHIEF_BINDS];
  const result = await hpk(host, [...args, await bootImage(), name], { env, ...BOOT });
  assertEquals(result.code, 0, result.stderr);
  assertEquals(result.stdout, "");
  return result;
}

/** Options of a start in a network of its own. */
export const ISOLATED = ["--subnet", SUBNET] as const;

/** hpktainer's own lines on standard error. */
export function ownLines({ stderr }: RunResult): string[] {
  return stderr.split("\n").filter((line) => line.startsWith("hpktainer: "));
}

/** Runs a command in an instance; returns its output. */
export async function inside(
  host: PrivateHost,
  name: string,
  command: string,
  check = true,
): Promise<string> {
  const args = ["exec", "--pwd", "/", `instance://${name}`, "sh", "-c", command];
  const { code, stdout, stderr } = await hpk(host, args);
  if (check) assertEquals(code, 0, `${command}: ${stdout}${stderr}`);
  return stdout;
}

/** Stops an instance. */
export async function stop(host: PrivateHost, name: string): Promise<RunResult> {
  return await host.run(HPKTAINER, ["instance", "stop", name], BOOT);
}

/** The network of a snapshot: what a container in the host's network could change. */
export function networkOf(snapshot: Snapshot): Snapshot {
  return { ...snapshot, files: [], mounts: [], processes: [] };
}

/** A container as `show --json` gives it, as far as tests look. */
export interface Shown {
  readonly id: string;
  readonly pid: number;
  readonly mode: string;
  readonly address: string | null;
  readonly boot: {
    readonly state: string;
    readonly failedUnits: readonly string[];
    readonly differences: readonly { readonly part: string; readonly name: string }[];
  } | null;
}

/** What `show --json` gives. */
export async function show(host: PrivateHost, name: string): Promise<Shown> {
  const { stdout } = await host.run(HPKTAINER, ["show", name, "--json"]);
  return JSON.parse(stdout).container;
}

/** Paths below the hierarchies of control groups that belong to a container. */
export async function cgroupsOf(host: PrivateHost, id: string): Promise<string[]> {
  // Groups of other containers come and go meanwhile.
  const { stdout } = await host.sh(
    `find /sys/fs/cgroup -ignore_readdir_race -type d -path '*/hpktainer/${id}*' 2>/dev/null || :`,
  );
  return stdout.trim().split("\n").filter((path) => path !== "");
}

/** Fetches a page from the "internet"; returns its text. */
export async function fetchFrom(internet: Internet, url: string): Promise<string> {
  const args = ["--silent", "--show-error", "--insecure", "--max-time", "20", url];
  return (await internet.run("curl", args)).stdout;
}

/** What nginx serves. */
export const PAGE = "<h1>booted</h1>\n";

/**
 * Units of the image that are masked in the host's network: all that Debian has and that are
 * enabled.
 */
export const MASKED_IN_IMAGE = [
  "NetworkManager-wait-online.service",
  "NetworkManager.service",
  "networking.service",
  "nftables.service",
  "systemd-network-generator.service",
  "systemd-networkd-wait-online.service",
  "systemd-networkd.service",
  "systemd-networkd.socket",
  "systemd-pstore.service",
  "systemd-resolved.service",
  "systemd-sysctl.service",
  "systemd-timesyncd.service",
  "systemd-udev-trigger.service",
  "systemd-udevd-control.socket",
  "systemd-udevd-kernel.socket",
  "systemd-udevd.service",
] as const;
