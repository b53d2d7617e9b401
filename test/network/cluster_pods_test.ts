/**
 * Containers of two hosts reach each other by IP, over Flannel's VXLAN and its direct routes.
 *
 *   outside 203.0.113.10
 *        |
 *   underlay ──┬── [ host1 ] hpk-bridge ── veth1, tap1
 *              └── [ host2 ] hpk-bridge ── veth2, tap2
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  diffSnapshots,
  eventually,
  eventuallySame,
  iperf3,
  type PrivateHost,
  type Snapshot,
  snapshot,
  testIf,
  tunDevice,
} from "../harness/mod.ts";
import { hpk, needs } from "../harness/hpktainer.ts";
import {
  type Backend,
  Cluster,
  type Node,
  OUTSIDE6,
  type Programmer,
} from "../harness/cluster/cluster.ts";
import { flanneldNeeds, hasFlanneld } from "../harness/cluster/flannel.ts";
import {
  assertSeenAs,
  ping,
  type Pod,
  runAt,
  spotOf,
  startEcho,
  startPod,
  stopPod,
  transfer,
} from "../harness/cluster/pods.ts";

/**
 * The largest ICMP echo that fits into an IPv4 packet: 65535 bytes less the headers (RFC 791, RFC
 * 792).
 */
const LARGEST_PING = 65_507;
/** IPv6's also counts its fixed header, but busybox's ping6 has the same bound. */
const LARGEST_PING6 = 65_000;

/** That of the underlay, less the headers of VXLAN over IPv4 or IPv6 (RFC 7348). */
const MTU = { "vxlan": 1450, "vxlan6": 1430, "host-gw": 1500 };
const CALM = { timeoutMs: 30_000 };

interface Case {
  readonly by: Programmer;
  readonly backend: Backend;
  readonly ipMasq: boolean;
  readonly ipv6: boolean;
}

const CASES: readonly Case[] = [
  { by: "flanneld", backend: "vxlan", ipMasq: true, ipv6: true },
  { by: "flanneld", backend: "host-gw", ipMasq: false, ipv6: false },
  { by: "hand", backend: "vxlan", ipMasq: false, ipv6: false },
  // Already tested with flanneld.
  ...hasFlanneld ? [] : [{ by: "hand", backend: "host-gw", ipMasq: false, ipv6: true } as const],
];

/**
 * A snapshot of a host once nothing changes any more: flanneld continues after it reports ready.
 */
async function settledSnapshot(host: PrivateHost): Promise<Snapshot> {
  let last = await snapshot(host);
  let same = 0;
  await eventually(async () => {
    const next = await snapshot(host);
    same = diffSnapshots(last, next).length === 0 ? same + 1 : 0;
    last = next;
    return same >= 3;
  }, { what: `${host.name} at rest`, intervalMs: 200, ...CALM });
  return last;
}

for (const { by, backend, ipMasq, ipv6 } of CASES) {
  testIf({
    name: `pods of two hosts over ${backend}${ipv6 ? ", both families" : ""}, programmed by ${by}`,
    needs: [...needs, iperf3, tunDevice, ...by === "flanneld" ? flanneldNeeds : []],
  }, async (t) => {
    await using cluster = await Cluster.create({ hosts: 2, backend, by, ipMasq, ipv6 });
    const [one, two] = cluster.nodes as [Node, Node];
    for (const { host } of [one, two]) {
      // As on every host of a Flannel network; with flanneld's rules it would stay on anyway.
      await host.sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
      if (ipv6) await host.sh("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    }
    const before = await Promise.all([settledSnapshot(one.host), settledSnapshot(two.host)]);
    const pods: Record<string, Pod> = {};
    for (const node of [one, two]) {
      for (const datapath of ["veth", "tap"]) {
        const name = `${datapath}${node.number}`;
        pods[name] = await startPod(node, name, ["--datapath", datapath]);
      }
    }
    const pairs = [["veth1", "veth2"], ["tap2", "tap1"], ["veth2", "tap1"]] as const;
    for (const [from, to] of pairs) {
      await t.step(`${from} to ${to} by TCP, UDP, ICMP, seen as itself`, async () => {
        const [client, server] = [pods[from]!, pods[to]!];
        await using _ = await startEcho(spotOf(server), server.address);
        for (const transport of ["tcp", "udp"] as const) {
          await assertSeenAs(transport, spotOf(client), server.address, client.address);
        }
        await ping(spotOf(client), server.address);
      });
      await t.step(`${from} to ${to}: the largest ping and a large transfer arrive`, async () => {
        const [client, server] = [pods[from]!, pods[to]!];
        await ping(spotOf(client), server.address, LARGEST_PING);
        await transfer(spotOf(client), spotOf(server), server.address, "64M");
        await transfer(spotOf(server), spotOf(client), client.address, "8M");
      });
    }
    await t.step("the MTU is that of the path", async () => {
      for (const pod of Object.values(pods)) {
        const mtu = await runAt(spotOf(pod), ["cat", "/sys/class/net/eth0/mtu"]);
        const expected = MTU[ipv6 && backend === "vxlan" ? "vxlan6" : backend];
        assertEquals(Number(mtu), expected, pod.name);
      }
    });
    await t.step("the outside sees the host, not the pod", async () => {
      const outside = { place: cluster.internet, prefix: [] };
      await using _ = await startEcho(outside, cluster.internet.outside);
      for (const pod of [pods["veth1"]!, pods["tap2"]!]) {
        for (const transport of ["tcp", "udp"] as const) {
          const seenAs = pod.node.address;
          await assertSeenAs(transport, spotOf(pod), cluster.internet.outside, seenAs);
        }
      }
    });
    if (ipv6) {
      await t.step("everything by IPv6", async () => {
        for (const [from, to] of pairs.slice(0, 2)) {
          const [client, server] = [pods[from]!, pods[to]!];
          await using _ = await startEcho(spotOf(server), server.address6!);
          for (const transport of ["tcp", "udp"] as const) {
            await assertSeenAs(transport, spotOf(client), server.address6!, client.address6!);
          }
          await ping(spotOf(client), server.address6!, LARGEST_PING6);
          await transfer(spotOf(client), spotOf(server), server.address6!, "16M");
        }
        const outside = { place: cluster.internet, prefix: [] };
        await using _ = await startEcho(outside, OUTSIDE6);
        await assertSeenAs("tcp", spotOf(pods["veth1"]!), OUTSIDE6, one.address6);
        await assertSeenAs("udp", spotOf(pods["tap2"]!), OUTSIDE6, two.address6);
      });
    }
    await t.step("a host reaches the other's pods", async () => {
      await ping({ place: one.host, prefix: [] }, pods["veth2"]!.address);
    });
    await t.step("Flannel's links and routes are left alone", async () => {
      for (const { host } of [one, two]) {
        const shown = await host.sh("ip -o link show master hpk-bridge");
        assert(!shown.stdout.includes("flannel"), shown.stdout);
        assert(!shown.stdout.includes("eth0"), shown.stdout);
      }
    });
    for (const pod of Object.values(pods)) await stopPod(pod);
    await eventuallySame(one.host, before[0]!, CALM);
    await eventuallySame(two.host, before[1]!, CALM);
  });
}

testIf(
  { name: "the subnet of another bridge is refused, and the bridge left alone", needs },
  async () => {
    await using cluster = await Cluster.create({ hosts: 1, backend: "host-gw", by: "hand" });
    const { host } = cluster.nodes[0]!;
    await host.sh(`
    ip link add cni0 type bridge
    ip addr add 10.244.1.1/24 dev cni0
    ip link set cni0 up
  `);
    const before = await snapshot(host);
    const { code, stderr } = await hpk(host, ["exec", "/nowhere.sif", "true"]);
    assertEquals(code, 125);
    assertStringIncludes(stderr, "/nowhere.sif");
    const doctor = await hpk(host, ["doctor", "--json"]);
    const check = JSON.parse(doctor.stdout).checks.find(({ id }: { id: string }) =>
      id === "network"
    );
    assertMatch(check.found, /overlaps cni0 \(10\.244\.1\.1\/24\)/);
    await eventuallySame(host, before);
  },
);
