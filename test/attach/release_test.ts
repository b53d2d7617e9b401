/**
 * Commands right after the end of the last container, while the monitor releases its network:
 *
 *     host ── hpk-bridge ── one container, just ended
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { images, PrivateHost, testIf } from "../harness/mod.ts";
import { hpk, HPKTAINER, needs, SUBNET } from "../harness/hpktainer.ts";

const TURNS = 6;

testIf({ name: "gc returns when all that has ended is released", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  for (let turn = 0; turn < TURNS; turn++) {
    // Killed when everything exists: the monitor begins to take it down at the same moment as gc.
    const env = { HPK_FAULT_KILL: "attach.done" };
    await hpk(host, ["exec", "--subnet", SUBNET, base, "true"], { env });
    await hpk(host, ["gc"], { check: true });
    const { stdout } = await host.sh("ip -o link; ip netns; iptables-save; ls /run");
    assertEquals(stdout.split("\n").filter((line) => /hpk/i.test(line)), []);
  }
});

testIf({ name: "a start while the last network is removed has its firewall", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const start = ["exec", "--subnet", SUBNET, base];
  for (let turn = 0; turn < 3 * TURNS; turn++) {
    await hpk(host, [...start, "true"], { check: true });
    await using running = await host.spawn(HPKTAINER, [...start, "sh", "-c", "echo up; cat"]);
    await running.waitFor(/up/);
    const { stdout } = await host.run("iptables-save");
    assertStringIncludes(stdout, `-A HPK-POSTROUTING -s ${SUBNET} ! -o hpk-bridge -j MASQUERADE`);
    await running.closeStdin();
    await running.wait();
    await hpk(host, ["gc"], { check: true });
  }
});

testIf({ name: "a start may use another subnet once no container is left", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  for (let turn = 0; turn < TURNS; turn++) {
    const options = ["--subnet", `10.9${turn}.0.0/24`];
    const { code, stderr } = await hpk(host, ["exec", ...options, base, "true"]);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
  }
});

testIf(
  { name: "the last network goes where a mount at /run/netns is hidden by another", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    await host.sh("ip netns add x; ip netns del x; mount -t tmpfs t /run; mkdir /run/lock");
    await hpk(host, ["exec", "--subnet", SUBNET, base, "true"], { check: true });
    const { code, stderr } = await hpk(host, ["gc"]);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    const { stdout } = await host.sh("ls -d /run/netns /run/hpktainer* 2>/dev/null || ip -o link");
    assertEquals(stdout.split("\n").filter((line) => /^\/run|hpk/.test(line)), []);
  },
);
