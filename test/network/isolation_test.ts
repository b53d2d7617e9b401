/**
 * Who reaches whom under a container's traffic policies.
 *
 *   metadata service 169.254.169.254, outside 203.0.113.10
 *        |
 *   internet 198.51.100.1 ── eth0 198.51.100.11 [ host ] hpk-bridge 10.96.0.1
 *                                                          |       |        |
 *                                              isolated .10   isolated .11   other .12
 */
import { assertEquals, assertMatch } from "@std/assert";
import {
  eventuallySame,
  images,
  Internet,
  type Place,
  PrivateHost,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { ok } from "../harness/containers.ts";
import { ask, assertSilent, inContainer, serve } from "../harness/echo_place.ts";
import { hpk, needs, SUBNET } from "../harness/hpktainer.ts";

const STATIC = ["--subnet", SUBNET];
const UPLINK = "198.51.100.11";
const IMDS = "169.254.169.254";
const PORT = 7007;

/** Whether iptables sees the frames of bridges: 1 on hosts with Docker or Kubernetes, else 0. */
const SEES_FRAMES = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/** A host with an uplink, which sends what is for the metadata service there. */
async function cloudHost(internet: Internet): Promise<PrivateHost> {
  const host = await PrivateHost.create();
  await internet.attach(host, { address: `${UPLINK}/24` });
  return host;
}

for (const seesFrames of ["0", "1"]) {
  for (const datapath of ["veth", "tap"]) {
    testIf({
      name:
        `isolated containers do not reach each other, ${datapath}, bridge-nf-call-iptables=${seesFrames}`,
      needs,
    }, async (t) => {
      await using internet = await Internet.create();
      await using host = await cloudHost(internet);
      await host.sh(`! [ -f ${SEES_FRAMES} ] || echo ${seesFrames} > ${SEES_FRAMES}`);
      const { base } = await images();
      const before = await snapshot(host);
      const start = async (name: string, ip: string, ...options: string[]): Promise<Place> => {
        const network = [...STATIC, "--datapath", datapath, "--ip", ip];
        await ok(host, ["instance", "start", ...network, ...options, base, name]);
        return await inContainer(host, name);
      };
      const a = await start("a", "10.96.0.10", "--isolated");
      const b = await start("b", "10.96.0.11", "--isolated", "--publish", `8080:${PORT}`);
      const other = await start("other", "10.96.0.12");
      const servers = [
        await serve(a, "10.96.0.10", PORT),
        await serve(b, "10.96.0.11", PORT),
        await serve(other, "10.96.0.12", PORT),
        await serve(host, "10.96.0.1", PORT),
        await serve(internet, internet.outside, PORT),
      ];
      await t.step("not by the bridge", async () => {
        await assertSilent(a, "tcp", "10.96.0.11", PORT);
        await assertSilent(b, "udp", "10.96.0.10", PORT);
      });
      await t.step("not by the gateway", async () => {
        await a.sh("ip route add 10.96.0.11 via 10.96.0.1; ip route add 10.96.0.12 via 10.96.0.1");
        await assertSilent(a, "tcp", "10.96.0.11", PORT);
        await assertSilent(a, "udp", "10.96.0.11", PORT);
        await assertSilent(a, "tcp", UPLINK, 8080);
        // A container that is not isolated is reached that way, so the way works.
        assertEquals(await ask(a, "tcp", "10.96.0.12", PORT), "10.96.0.10");
        await a.sh("ip route delete 10.96.0.11; ip route delete 10.96.0.12");
      });
      await t.step("but the gateway, the outside, and others", async () => {
        assertEquals(await ask(a, "tcp", "10.96.0.1", PORT), "10.96.0.10");
        assertEquals(await ask(a, "udp", internet.outside, PORT), UPLINK);
        assertEquals(await ask(a, "tcp", "10.96.0.12", PORT), "10.96.0.10");
        assertEquals(await ask(other, "tcp", "10.96.0.10", PORT), "10.96.0.12");
        assertEquals(await ask(other, "tcp", UPLINK, 8080), "10.96.0.1");
      });
      await t.step("show reports it", async () => {
        assertMatch(await ok(host, ["show", "a"]), /^isolated +true$/m);
        assertMatch(await ok(host, ["show", "other"]), /^isolated +false$/m);
      });
      for (const server of servers) await server[Symbol.asyncDispose]();
      await hpk(host, ["instance", "stop", "--all"], { check: true });
      await eventuallySame(host, before, { timeoutMs: 30_000 });
    });
  }
}

testIf({ name: "a container may keep its address outside", needs }, async () => {
  await using internet = await Internet.create();
  await using host = await cloudHost(internet);
  const { base } = await images();
  await internet.run("ip", ["route", "add", SUBNET, "via", UPLINK]);
  await ok(host, ["instance", "start", ...STATIC, "--no-masquerade", base, "own"]);
  await ok(host, ["instance", "start", ...STATIC, base, "usual"]);
  await using _server = await serve(internet, internet.outside, PORT);
  const { container } = JSON.parse(await ok(host, ["show", "own", "--json"]));
  const own = await inContainer(host, "own");
  for (const transport of ["tcp", "udp"] as const) {
    assertEquals(await ask(own, transport, internet.outside, PORT), container.address);
  }
  assertEquals(await ask(await inContainer(host, "usual"), "tcp", internet.outside, PORT), UPLINK);
  await hpk(host, ["instance", "stop", "--all"], { check: true });
});

testIf(
  { name: "the metadata service is closed, except to containers with --allow-imds", needs },
  async (t) => {
    await using internet = await Internet.create();
    await using host = await cloudHost(internet);
    await internet.run("ip", ["address", "add", `${IMDS}/32`, "dev", "lo"]);
    const { base } = await images();
    await ok(host, ["instance", "start", ...STATIC, base, "usual"]);
    const usual = await inContainer(host, "usual");
    await using _service = await serve(internet, IMDS, 80);
    await using _resolver = await serve(internet, IMDS, 53);
    await t.step("refused at once, without a wait", async () => {
      for (const transport of ["tcp", "udp"] as const) {
        await assertSilent(usual, transport, IMDS, 80);
      }
      const { code, stderr } = await usual.run("busybox", ["nc", "-w", "20", IMDS, "80"], {
        check: false,
        timeoutMs: 15_000,
      });
      assertEquals(code, 1);
      assertMatch(stderr, /No route to host|unreachable|prohibited/i);
    });
    await t.step("but for its DNS", async () => {
      for (const transport of ["tcp", "udp"] as const) {
        assertEquals(await ask(usual, transport, IMDS, 53), UPLINK);
      }
    });
    await t.step("not to the host", async () => {
      assertEquals(await ask(host, "tcp", IMDS, 80), UPLINK);
    });
    await t.step("nor to a container that may ask, while that lives", async () => {
      await ok(host, ["instance", "start", ...STATIC, "--allow-imds", base, "trusted"]);
      assertEquals(await ask(await inContainer(host, "trusted"), "tcp", IMDS, 80), UPLINK);
      await assertSilent(usual, "tcp", IMDS, 80);
      await ok(host, ["instance", "stop", "trusted"]);
      const { stdout } = await host.run("iptables", ["-S", "HPK-FORWARD"]);
      assertEquals(stdout.split("\n").filter((line) => line.includes(`-s `)), []);
    });
    await t.step("by the configuration, and an option that beats it", async () => {
      const env = { HPK_ALLOW_IMDS: "yes", HPK_ISOLATED: "yes" };
      await ok(host, ["instance", "start", ...STATIC, "--isolated=no", base, "set"], env);
      const { container } = JSON.parse(await ok(host, ["show", "set", "--json"]));
      assertEquals([container.imds, container.isolated], [true, false]);
      assertEquals(await ask(await inContainer(host, "set"), "tcp", IMDS, 80), UPLINK);
    });
    await hpk(host, ["instance", "stop", "--all"], { check: true });
  },
);
