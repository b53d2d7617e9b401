/**
 * A host whose network card computes wrong checksums inside VXLAN: pings pass, TCP and UDP do not.
 *
 *   [ host1 ] hpk-bridge, flannel.1 ── card that fails ── underlay ── [ host2 ] hpk-bridge, flannel.1
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  eventually,
  eventuallySame,
  images,
  iperf3,
  type Place,
  program,
  snapshot,
  testIf,
  tunDevice,
} from "../harness/mod.ts";
import { hpk, needs } from "../harness/hpktainer.ts";
import { Cluster, type Node } from "../harness/cluster/cluster.ts";
import {
  assertSeenAs,
  ping,
  spotOf,
  startEcho,
  startPod,
  stopPod,
  transfer,
} from "../harness/cluster/pods.ts";

const PATIENT = { timeoutMs: 30_000 };

/** Whether flannel.1 leaves checksums to the card. */
async function isOffloaded(host: Place): Promise<boolean> {
  const { stdout } = await host.run("ethtool", ["--show-features", "flannel.1"]);
  return /^tx-checksumming: on$/m.test(stdout);
}

/** doctor's line on the VXLAN. */
async function vxlanCheck(host: Place): Promise<{ status: string; found: string; fix: string }> {
  const { stdout } = await hpk(host, ["doctor", "--json"]);
  return JSON.parse(stdout).checks.find(({ id }: { id: string }) => id === "vxlan");
}

testIf({
  name:
    "a card with wrong checksums inside VXLAN is detected, and the kernel computes them instead",
  needs: [...needs, iperf3, tunDevice, program("ethtool")],
}, async (t) => {
  await using cluster = await Cluster.create({
    hosts: 2,
    backend: "vxlan",
    by: "hand",
    faultyNic: 1,
  });
  const [one, two] = cluster.nodes as [Node, Node];
  const host = { place: one.host, prefix: [] };
  const before = await snapshot(one.host);
  const away = await startPod(two, "away");
  await t.step("without containers, pings pass and TCP does not", async () => {
    await ping(host, away.address);
    const words = ["busybox", "nc", "-w", "2", away.address, "9"];
    const { stderr } = await one.host.run(words[0]!, words.slice(1), { check: false });
    assertStringIncludes(stderr, "timed out");
  });
  await t.step("doctor warns, and changes nothing", async () => {
    const { status, found, fix } = await vxlanCheck(one.host);
    assertEquals([status, found], ["warn", "flannel.1: none of 1 other hosts answers"]);
    assertStringIncludes(fix, "ethtool --offload flannel.1 tx off");
    assert(await isOffloaded(one.host));
  });
  await t.step("with the first container, the kernel computes the checksums", async () => {
    const pod = await startPod(one, "pod");
    await eventually(async () => !await isOffloaded(one.host), {
      what: "checksums by the kernel",
      ...PATIENT,
    });
    await using _ = await startEcho(spotOf(away), away.address);
    for (const transport of ["tcp", "udp"] as const) {
      await assertSeenAs(transport, spotOf(pod), away.address, pod.address);
    }
    await transfer(spotOf(pod), spotOf(away), away.address, "8M");
    const { status, found } = await vxlanCheck(one.host);
    assertEquals(status, "ok");
    assertStringIncludes(found, "other hosts answer, now that the kernel computes the checksums");
    await stopPod(pod);
  });
  await t.step("after the last, it is as before", async () => {
    await eventuallySame(one.host, before, PATIENT);
    assert(await isOffloaded(one.host));
  });
  for (const point of ["checksum.recorded", "checksum.off"]) {
    await t.step(`gc undoes what a monitor killed at ${point} left`, async () => {
      // The monitor inherits the environment of the start.
      const start = ["instance", "start", (await images()).base, "pod"];
      await hpk(one.host, start, { env: { HPK_FAULT_KILL: point }, check: true });
      await eventually(async () => {
        const { stdout } = await one.host.sh("ps -A -o args");
        return !stdout.includes("hpktainer monitor");
      }, { what: "the monitor's end", ...PATIENT });
      await hpk(one.host, ["instance", "stop", "pod"], { check: true });
      await hpk(one.host, ["gc"], { check: true });
      await eventuallySame(one.host, before, PATIENT);
      assert(await isOffloaded(one.host));
    });
  }
  await t.step("the other host, whose card is right, is left alone", async () => {
    assert(await isOffloaded(two.host));
    assertEquals((await vxlanCheck(two.host)).status, "ok");
  });
  await stopPod(away);
});
