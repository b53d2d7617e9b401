/**
 * A power cut while containers live.
 *
 *   [ host ] hpk-bridge 10.96.0.1 ── instance 10.96.0.7
 *                 |                            power off and on: no link, namespace or process is left;
 *             container                        /run is cleared, or (second test) not
 */
import { assertEquals } from "@std/assert";
import {
  eventuallySame,
  images,
  PrivateHost,
  type Snapshot,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { holdContainer, listed, ok } from "../harness/containers.ts";
import { hpk, needs, SUBNET } from "../harness/hpktainer.ts";

const CALM = { timeoutMs: 20_000 };

/** A host with a running instance and a running container, and a snapshot from before. */
async function liveHost(image: string): Promise<{ host: PrivateHost; before: Snapshot }> {
  const host = await PrivateHost.create();
  try {
    const before = await snapshot(host);
    await ok(host, ["instance", "start", "--subnet", SUBNET, "--ip", "10.96.0.7", image, "web"]);
    await holdContainer(host, image);
    assertEquals((await listed(host)).length, 2);
    return { host, before };
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts a container with the name and address of the lost instance. */
async function startAgain(host: PrivateHost, image: string): Promise<void> {
  const again = ["exec", "--subnet", SUBNET, "--name", "web", "--ip", "10.96.0.7", image];
  const shown = await ok(host, [...again, "ip", "-4", "-o", "address", "show", "dev", "eth0"]);
  assertEquals(/inet (\S+)/.exec(shown)?.[1], "10.96.0.7/24");
}

testIf({ name: "a reboot leaves no container, lease or ledger", needs }, async () => {
  const { base } = await images();
  const { host: made, before } = await liveHost(base);
  await using host = made;
  await host.reboot();
  assertEquals(await listed(host), []);
  const doctor = JSON.parse(await ok(host, ["doctor", "--json"], { HPK_SUBNET: SUBNET }));
  assertEquals(doctor.ok, true);
  await eventuallySame(host, before, CALM);
  await startAgain(host, base);
  await eventuallySame(host, before, CALM);
});

const RECLAIMERS: Record<string, (host: PrivateHost, image: string) => Promise<void>> = {
  "gc": async (host) => {
    const report = JSON.parse(await ok(host, ["gc", "--json"]));
    assertEquals([report.reclaimed.length, report.errors], [2, []]);
  },
  "a start of the same name and address": startAgain,
  "any start": async (host, image) => {
    await ok(host, ["exec", "--subnet", SUBNET, image, "true"]);
  },
};

for (const [name, reclaim] of Object.entries(RECLAIMERS)) {
  testIf({ name: `a ledger that outlived a reboot is reclaimed by ${name}`, needs }, async () => {
    const { base } = await images();
    const { host: made, before } = await liveHost(base);
    await using host = made;
    await host.sh("cp -a /run/hpktainer /etc/kept");
    await host.reboot();
    await host.sh("cp -a /etc/kept /run/hpktainer && rm -r /etc/kept");
    assertEquals((await listed(host)).map(({ state }) => state), ["dead", "dead"]);
    const { stdout } = await hpk(host, ["doctor", "--json"], { env: { HPK_SUBNET: SUBNET } });
    const checks = JSON.parse(stdout).checks as { id: string; status: string }[];
    assertEquals(checks.find(({ id }) => id === "containers")?.status, "warn");
    await reclaim(host, base);
    await eventuallySame(host, before, CALM);
  });
}
