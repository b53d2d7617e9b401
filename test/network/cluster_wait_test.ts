/**
 * A host whose flanneld starts later than the container.
 *
 *   [ host ] hpk-bridge 10.244.5.1 ── container, once /run/flannel/subnet.env is there
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  eventually,
  eventuallySame,
  images,
  PrivateHost,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk, HPKTAINER, needs } from "../harness/hpktainer.ts";

const SUBNET_ENV = `FLANNEL_NETWORK=10.244.0.0/16
FLANNEL_SUBNET=10.244.5.1/24
FLANNEL_MTU=1450
FLANNEL_IPMASQ=false
`;

testIf(
  { name: "a start waits for Flannel's subnet file, as long as --wait says", needs },
  async (t) => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const before = await snapshot(host);
    const trace = await Deno.makeTempFile();
    const isWaiting = () => Deno.readTextFileSync(trace).includes("flannel.awaited");
    const show = [base, "sh", "-c", "echo $HPK_IP"];
    await t.step("not at all without --wait", async () => {
      const { code, stderr } = await hpk(host, ["exec", "--network", "flannel", ...show]);
      assertEquals(code, 125);
      assertStringIncludes(stderr, "subnet.env does not exist, so Flannel is not running");
      assertStringIncludes(stderr, "--wait SECONDS");
    });
    await t.step("no longer than --wait says", async () => {
      const { code, stderr, ms } = await hpk(host, ["exec", "--wait", "1", ...show]);
      assertEquals(code, 125);
      assertStringIncludes(stderr, "subnet.env does not exist after 1 s");
      assert(ms >= 1000, `${ms}`);
    });
    await t.step("a static network waits for nothing", async () => {
      const args = ["exec", "--wait", "3600", "--subnet", "10.96.0.0/24", ...show];
      assertEquals((await hpk(host, args)).stdout, "10.96.0.2/24\n");
      await eventuallySame(host, before, { timeoutMs: 20_000 });
    });
    await t.step("nothing is created meanwhile, and a signal ends it", async () => {
      await using waiting = await host.spawn(HPKTAINER, ["exec", "--wait", "3600", ...show], {
        env: { HPK_FAULT_TRACE: trace },
      });
      await eventually(isWaiting, { what: "the wait", timeoutMs: 20_000 });
      waiting.signal("SIGTERM");
      assertEquals((await waiting.wait()).code, 143);
      await eventuallySame(host, before);
    });
    await t.step("the container starts when it appears, even if it is empty at first", async () => {
      Deno.writeTextFileSync(trace, "");
      await host.sh("mkdir -p /run/flannel && : > /run/flannel/subnet.env");
      await using waiting = await host.spawn(HPKTAINER, ["exec", ...show], {
        env: { HPK_WAIT: "600", HPK_FAULT_TRACE: trace },
      });
      await eventually(isWaiting, { what: "the wait", timeoutMs: 20_000 });
      await host.sh("cat > /run/flannel/new && mv /run/flannel/new /run/flannel/subnet.env", {
        stdin: SUBNET_ENV,
      });
      const { code, stdout, stderr } = await waiting.wait({ timeoutMs: 60_000 });
      assertEquals([code, stdout], [0, "10.244.5.2/24\n"], stderr);
    });
    await Deno.remove(trace);
  },
);
