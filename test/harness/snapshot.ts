/**
 * The complete state of a host that networking tools touch, as comparable text: nothing may leak,
 * nothing may be lost.
 */
import { eventually } from "./eventually.ts";
import type { PrivateHost } from "./private_host.ts";
import { listFiles } from "./_file_list.ts";
import { diffSnapshots, type Snapshot } from "./snapshot_diff.ts";
import { normalizeFirewall, normalizeIpJson, normalizeMounts } from "./_normalize.ts";

/**
 * Take a snapshot of `host`: links, addresses, routes, rules, named network namespaces, firewall,
 * mounts, processes, forwarding sysctls, and files under /run and in the host's private directories
 * (`/etc` and `/var/lib`: there only what the host has changed). Left out are counters, indices,
 * timers and process ids, and what every use of iproute2, mount(8) and iptables leaves behind (the
 * empty `/run/netns` and its mount on itself, the empty `/run/mount`, `/run/xtables.lock`).
 */
export async function snapshot(host: PrivateHost): Promise<Snapshot> {
  // Read from outside, before any command runs inside: the list contains nothing of the snapshot's
  // own.
  const processes = listProcesses(host);
  const mounts = normalizeMounts(await Deno.readTextFile(`/proc/${host.pid}/mountinfo`));
  const parts = await readNetwork(host);
  const files = new Map<string, string>(await listFiles(`${host.root}/run`, "/run"));
  for (const dir of host.privateDirs.filter((dir) => dir !== LOGS)) {
    for (const [path, what] of await listFiles(host.changesDir(dir), dir)) files.set(path, what);
  }
  for (const path of LEFT_BY_TOOLS) {
    if (![...files.keys()].some((other) => other.startsWith(`${path}/`))) files.delete(path);
  }
  return {
    links: normalizeIpJson(parts.links, ["ifname"]),
    addresses: normalizeIpJson(parts.addresses, ["ifname", "local"], "addr_info"),
    routes: normalizeIpJson(`${parts.routes4}\n${parts.routes6}`, [
      "table",
      "dst",
      "dev",
      "gateway",
    ]),
    rules: normalizeIpJson(`${parts.rules4}\n${parts.rules6}`, ["priority", "src", "table"]),
    namespaces: lines(parts.namespaces.replaceAll(/ \(id: \d+\)/g, "")),
    firewall4: normalizeFirewall(parts.firewall4),
    firewall6: normalizeFirewall(parts.firewall6),
    mounts,
    files: [...files].map(([path, what]) => `${path} ${what}`),
    processes,
    sysctls: lines(parts.sysctls),
  };
}

/** Throws, naming every difference, unless the two snapshots are the same. */
export function assertSame(before: Snapshot, after: Snapshot): void {
  const differences = diffSnapshots(before, after);
  if (differences.length > 0) {
    throw new Error(`the host is not as it was:\n${differences.join("\n")}`);
  }
}

/**
 * Wait until `host` is as in `before` again: tear-down by a monitor follows some milliseconds after
 * the exit of what it watches. Throws with every difference left after `timeoutMs` (default 3,000).
 */
export async function eventuallySame(
  host: PrivateHost,
  before: Snapshot,
  options: { timeoutMs?: number } = {},
): Promise<void> {
  await eventually(async () => {
    assertSame(before, await snapshot(host));
    return true;
  }, { what: host.name, timeoutMs: options.timeoutMs ?? 3_000, intervalMs: 50 });
}

/** Take a snapshot of `host` once nothing has changed for `quietMs` milliseconds. */
export async function settledSnapshot(
  host: PrivateHost,
  options: { quietMs?: number; timeoutMs?: number } = {},
): Promise<Snapshot> {
  let last = await snapshot(host);
  return await eventually(async () => {
    const now = await snapshot(host);
    const changes = diffSnapshots(last, now);
    last = now;
    if (changes.length > 0) throw new Error(changes.join("\n"));
    return now;
  }, {
    what: `${host.name} settles`,
    timeoutMs: options.timeoutMs ?? 30_000,
    intervalMs: options.quietMs ?? 1_000,
  });
}

/** Left out: that they stay is what they are for. */
const LOGS = "/var/log";

const LEFT_BY_TOOLS = ["/run/netns", "/run/mount", "/run/xtables.lock"];

/**
 * Each part is one command in the host's network; a missing or failing tool shows in its part
 * instead of silently returning nothing.
 */
const PARTS = {
  links: "ip -j -d link",
  addresses: "ip -j addr",
  routes4: "ip -4 -j route show table all",
  routes6: "ip -6 -j route show table all",
  rules4: "ip -4 -j rule",
  rules6: "ip -6 -j rule",
  namespaces: "ip netns list",
  firewall4: "iptables-save",
  firewall6: "ip6tables-save",
  sysctls:
    "cd /proc/sys/net && grep -H . ipv4/ip_forward ipv4/conf/*/forwarding ipv4/conf/*/rp_filter " +
    "ipv4/conf/*/route_localnet ipv4/conf/*/proxy_arp ipv6/conf/*/forwarding",
} as const satisfies Record<string, string>;

async function readNetwork(host: PrivateHost): Promise<Record<keyof typeof PARTS, string>> {
  const script = Object.entries(PARTS)
    .map(([name, command]) => `echo '${MARK}${name}'; { ${command}; } 2>&1 || echo "failed: $?"`)
    .join("\n");
  const { stdout } = await host.run("sh", ["-c", script], { env: { LC_ALL: "C" } });
  const found: Record<keyof typeof PARTS, string> = { ...PARTS };
  for (const part of stdout.split(MARK).slice(1)) {
    const end = part.indexOf("\n");
    found[part.slice(0, end) as keyof typeof PARTS] = part.slice(end + 1).trim();
  }
  return found;
}

const MARK = "=== ";

/**
 * Command lines of all processes except init. A zombie is `(name)`: its parent has not reaped it.
 */
function listProcesses(host: PrivateHost): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync(`${host.root}/proc`)) {
    if (!/^\d+$/.test(name) || name === "1") continue;
    try {
      const line = Deno.readTextFileSync(`${host.root}/proc/${name}/cmdline`);
      const comm = Deno.readTextFileSync(`${host.root}/proc/${name}/comm`).trim();
      found.push(line === "" ? `(${comm})` : line.replaceAll("\0", " ").trim());
    } catch (error) {
      // Ended between the listing and the reading: not there.
      if (!(error instanceof Deno.errors.NotFound) && !/os error 3\b/.test(String(error))) {
        throw error;
      }
    }
  }
  return found.sort();
}

function lines(text: string): string[] {
  return text === "" ? [] : text.split("\n").sort();
}
