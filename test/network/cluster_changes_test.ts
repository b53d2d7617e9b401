/**
 * A Flannel network that changes while containers run: flanneld restarts, etcd dies,
 * a host loses its uplink or is powered off and on.
 *
 *   etcd 198.51.100.1
 *        |
 *   underlay ──┬── [ host1 ] flanneld, hpk-bridge ── a, b
 *              ├── [ host2 ] flanneld, hpk-bridge ── a, b
 *              └── [ host3 ] flanneld, hpk-bridge ── a, b
 */
import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { eventually, iperf3, testIf, tunDevice } from "../harness/mod.ts";
import { hpk, needs } from "../harness/hpktainer.ts";
import { Cluster, type Node } from "../harness/cluster/cluster.ts";
import { flanneldNeeds } from "../harness/cluster/flannel.ts";
import {
  findPod,
  ping,
  type Pod,
  runAt,
  spawnAt,
  spotOf,
  startPod,
  stopPod,
  transfer,
} from "../harness/cluster/pods.ts";

const PATIENT = { timeoutMs: 60_000 };

/** Waits until a container reaches another. */
async function reaches(from: Pod, to: Pod): Promise<void> {
  await eventually(async () => {
    await runAt(spotOf(from), ["busybox", "ping", "-q", "-c", "1", "-W", "1", to.address]);
    return true;
  }, { what: `${from.name} to ${to.name}`, ...PATIENT });
}

/** Asserts that a container does not reach another. */
async function assertParted(from: Pod, to: Pod): Promise<void> {
  const words = ["busybox", "ping", "-q", "-c", "1", "-W", "1", to.address];
  const [command, ...args] = [...from.prefix, ...words];
  const { code } = await from.node.host.run(command!, args, { check: false });
  assertNotEquals(code, 0, `${from.name} reaches ${to.name}`);
}

/** Runs `act` while packets and a connection go from one container to another; none may be lost. */
async function underTraffic(from: Pod, to: Pod, act: () => Promise<void>): Promise<void> {
  await using server = await spawnAt(spotOf(to), ["iperf3", "-s", "-1", "--forceflush"]);
  await server.waitFor(/Server listening/, PATIENT);
  const connection = ["iperf3", "-c", to.address, "-t", "600", "-b", "20M", "-i", "0.5"];
  await using client = await spawnAt(spotOf(from), [...connection, "--forceflush"]);
  await using pings = await spawnAt(spotOf(from), [
    ...["busybox", "ping", "-c", "100000", "-i", "0.1", to.address],
  ]);
  await client.waitFor(/\bMbits\/sec/, PATIENT);
  await act();
  // What arrives after the act is the proof.
  const seen = { client: client.stdout.length, pings: pings.stdout.length };
  await client.waitFor(/\b[1-9][0-9.]* Mbits\/sec/, { from: seen.client, ...PATIENT });
  await pings.waitFor(/seq=/, { from: seen.pings, ...PATIENT });
  pings.signal("SIGINT");
  const { stdout } = await pings.wait();
  const [, sent, received] =
    /([0-9]+) packets transmitted, ([0-9]+) packets received/.exec(stdout) ??
      [];
  // The packet under way when ping ends has no answer.
  assert(Number(sent) - Number(received) <= 1, stdout.slice(-300));
  assert(client.running, client.stdout.slice(-300));
}

/** doctor's line on Flannel's subnet; undefined if there is none. */
async function subnetCheck(node: Node): Promise<{ status: string; found: string } | undefined> {
  const { stdout } = await hpk(node.host, ["doctor", "--json"]);
  return JSON.parse(stdout).checks.find(({ id }: { id: string }) => id === "flannel-subnet");
}

testIf({
  name: "three hosts under real flanneld: restarts, etcd's death, a parted underlay, a reboot",
  needs: [...needs, iperf3, tunDevice, ...flanneldNeeds],
}, async (t) => {
  await using cluster = await Cluster.create({ hosts: 3, backend: "vxlan", by: "flanneld" });
  const [one, two, three] = cluster.nodes as [Node, Node, Node];
  const pods = await Promise.all([
    startPod(one, "a"),
    startPod(two, "b"),
    startPod(three, "c", ["--datapath", "tap"]),
  ]);
  const [a, b, c] = pods as [Pod, Pod, Pod];
  const subnetOf = async (node: Node) => (await cluster.subnetEnv(node))["FLANNEL_SUBNET"];
  await t.step("every pod reaches every other", async () => {
    for (const from of pods) {
      for (const to of pods) if (from !== to) await ping(spotOf(from), to.address);
    }
  });
  await t.step("flanneld restarted under traffic: nothing is lost", async () => {
    await underTraffic(a, b, async () => {
      for (const node of [one, two]) {
        const before = await subnetOf(node);
        await cluster.killFlanneld(node);
        await cluster.startFlanneld(node);
        assertEquals(await subnetOf(node), before);
      }
    });
  });
  await t.step("etcd killed under traffic: nothing is lost, and containers start", async () => {
    await underTraffic(b, c, async () => {
      await cluster.killEtcd();
      const late = await startPod(one, "late");
      await ping(spotOf(late), b.address);
      await stopPod(late);
      await cluster.startEtcd();
    });
  });
  await t.step(
    "a parted underlay: pods of the host go on among themselves, and all heals",
    async () => {
      const neighbour = await startPod(three, "neighbour");
      await cluster.setUplink(three, "down");
      await assertParted(a, c);
      await ping(spotOf(c), neighbour.address);
      await ping(spotOf(a), b.address);
      const born = await startPod(three, "born-alone");
      await ping(spotOf(born), neighbour.address);
      await cluster.setUplink(three, "up");
      await reaches(a, c);
      await reaches(born, b);
      await transfer(spotOf(a), spotOf(born), born.address, "8M");
    },
  );
  await t.step(
    "a new subnet: containers keep the old one, new containers get the new one",
    async () => {
      const earlier = b.subnet;
      await cluster.killFlanneld(two);
      await cluster.forgetSubnet(two);
      await cluster.startFlanneld(two);
      const { FLANNEL_SUBNET } = await cluster.subnetEnv(two);
      const fresh = await startPod(two, "fresh");
      assertEquals(fresh.subnet, FLANNEL_SUBNET!.replace(".1/", ".0/"));
      assertNotEquals(fresh.subnet, earlier);
      assertEquals((await findPod(two, "b")).subnet, earlier);
      await reaches(a, fresh);
      for (const pod of [b, fresh]) {
        await ping(spotOf(pod), cluster.internet.outside);
        await ping(spotOf(pod), pod === b ? fresh.address : b.address);
      }
      const check = await subnetCheck(two);
      assertEquals(check?.status, "warn");
      assertStringIncludes(check!.found, `b (${earlier})`);
      // The gateway and rules of the earlier subnet go with its last container.
      await stopPod(b);
      await eventually(async () => {
        const { stdout } = await two.host.sh("ip -4 -o address show dev hpk-bridge; iptables-save");
        return !stdout.includes(earlier.replace(/\.0\/.*/, "."));
      }, { what: "the end of the earlier subnet", ...PATIENT });
      assertEquals(await subnetCheck(two), undefined);
      await ping(spotOf(fresh), cluster.internet.outside);
      await transfer(spotOf(a), spotOf(fresh), fresh.address, "8M");
    },
  );
  await t.step(
    "a host powered off and on: a clean ledger, and its new pods are reached",
    async () => {
      await three.host.reboot();
      await assertParted(a, c);
      await hpk(three.host, ["gc"], { check: true });
      const { stdout } = await hpk(three.host, ["ps", "--json"], { check: true });
      assertEquals(JSON.parse(stdout).containers, []);
      await cluster.startFlanneld(three);
      const again = await startPod(three, "again");
      await reaches(a, again);
      await transfer(spotOf(a), spotOf(again), again.address, "8M");
    },
  );
});
