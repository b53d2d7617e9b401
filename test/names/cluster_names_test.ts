/**
 * Containers on the hosts of a Flannel network resolve each other's names.
 *
 *   underlay ──┬── [ host1 ] dnsmasq 10.244.x.1 ── here, twin
 *              └── [ host2 ] dnsmasq 10.244.y.1 ── there, twin
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventually, eventuallySame, program, snapshot, testIf } from "../harness/mod.ts";
import { ok } from "../harness/containers.ts";
import { hpk, needs } from "../harness/hpktainer.ts";
import { Cluster, type Node } from "../harness/cluster/cluster.ts";
import { type Pod, startPod, stopPod } from "../harness/cluster/pods.ts";

/** Hosts query each other every 5 s, and drop one that does not answer three times. */
const CALM = { timeoutMs: 60_000 };

/** A container's name server's answer for a name, by busybox's nslookup. */
async function lookUp({ node, name }: Pod, asked: string, type = "a"): Promise<string> {
  const words = ["exec", `instance://${name}`, "busybox", "nslookup", `-type=${type}`, asked];
  const { stdout } = await hpk(node.host, words, { timeoutMs: 60_000 });
  return stdout;
}

/** The address that a container's C library resolves a name to; empty if none. */
async function find({ node, name }: Pod, asked: string): Promise<string> {
  const words = [
    "exec",
    `instance://${name}`,
    "sh",
    "-c",
    `ping -4 -c 1 -W 1 ${asked} | head -n 1`,
  ];
  const { stdout } = await hpk(node.host, words, { timeoutMs: 60_000 });
  return /\(([0-9.]+)\)/.exec(stdout)?.[1] ?? "";
}

async function eventuallyFinds(pod: Pod, asked: string, address: string): Promise<void> {
  await eventually(async () => {
    assertEquals(await find(pod, asked), address);
    return true;
  }, { what: `${asked} from ${pod.name}`, ...CALM });
}

testIf(
  {
    name: "containers of two hosts resolve each other's names",
    needs: [...needs, program("dnsmasq")],
  },
  async (t) => {
    await using cluster = await Cluster.create({
      hosts: 2,
      backend: "vxlan",
      by: "hand",
      ipv6: true,
    });
    const [one, two] = cluster.nodes as [Node, Node];
    for (const { host } of [one, two]) {
      await host.sh("echo 1 > /proc/sys/net/ipv4/ip_forward; iptables -P INPUT DROP");
      await host.sh(
        "iptables -A INPUT -p udp --dport 8472 -j ACCEPT; iptables -A INPUT -i lo -j ACCEPT",
      );
      await host.sh("iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT");
    }
    const before = await Promise.all([snapshot(one.host), snapshot(two.host)]);
    const here = await startPod(one, "here");
    const there = await startPod(two, "there");
    await t.step("both ways, by short and full name", async () => {
      await eventuallyFinds(here, "there", there.address);
      await eventuallyFinds(there, "here.hpk", here.address);
    });
    await t.step("by IPv6 too", async () => {
      assertStringIncludes(await lookUp(here, "there.hpk", "aaaa"), `Address: ${there.address6}\n`);
      assertStringIncludes(await lookUp(here, "here.hpk", "aaaa"), `Address: ${here.address6}\n`);
    });
    await t.step("not a name that does not exist", async () => {
      assertMatch(await lookUp(here, "nobody.hpk"), /NXDOMAIN/);
    });
    await t.step("the one on the same host, of two with the same name", async () => {
      const twins = [await startPod(one, "twin"), await startPod(two, "twin")] as const;
      await ok(one.host, ["show", "twin"]);
      await eventuallyFinds(here, "twin", twins[0].address);
      await eventuallyFinds(there, "twin", twins[1].address);
      await stopPod(twins[0]);
      await eventuallyFinds(here, "twin", twins[1].address);
      await stopPod(twins[1]);
      await eventuallyFinds(here, "twin", "");
    });
    await t.step(
      "while hosts are parted, what can be reached, and no wait for what cannot",
      async () => {
        await cluster.setUplink(two, "down");
        await eventuallyFinds(here, "there", "");
        assertEquals(await find(here, "here"), here.address);
        assertMatch(await lookUp(here, "nobody.hpk"), /NXDOMAIN/);
      },
    );
    await t.step("when they are joined again", async () => {
      await cluster.setUplink(two, "up");
      await eventuallyFinds(here, "there", there.address);
      await eventuallyFinds(there, "here", here.address);
    });
    await stopPod(there);
    await eventuallyFinds(here, "there", "");
    await stopPod(here);
    await eventuallySame(one.host, before[0]!, CALM);
    await eventuallySame(two.host, before[1]!, CALM);
  },
);
