/**
 * The live checks, on a host without faults and on hosts with one fault.
 *
 *   internet 203.0.113.10, DNS ── enX0 [ host ] hpk0 ── container of --verify
 *                                        └── another host of --verify, behind an MTU of 1280
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { assertSame, eventually, type PrivateHost, type Snapshot, testIf } from "../harness/mod.ts";
import {
  addForeignRules,
  freshHost,
  HOST_SETUP,
  needs,
  savedRules,
  setup,
  setupJson,
  stateOf,
} from "./_host_setup.ts";

interface Proof {
  id: string;
  status: string;
  found: string;
  fix: string;
}

async function verify(host: PrivateHost, args: string[] = []): Promise<Proof[]> {
  const { stdout, stderr } = await setup(host, ["--verify", "--json", ...args]);
  if (stdout === "") throw new Error(stderr);
  return (JSON.parse(stdout) as { proofs: Proof[] }).proofs;
}

function withStatus(proofs: readonly Proof[], status: string): string[] {
  return proofs.filter((proof) => proof.status === status).map(({ id }) => id).sort();
}

/** Without host-local's cursor for the next address, which is not a lease. */
function withoutCursor(state: Snapshot): Snapshot {
  return { ...state, files: state.files.filter((line) => !line.includes("/last_reserved_ip.")) };
}

/**
 * The state once the bridge has no carrier: the kernel removes namespaces in the background, and
 * the carrier goes with the last one.
 */
async function stateWithoutCarrier(host: PrivateHost): Promise<Snapshot> {
  return await eventually(async () => {
    const state = await stateOf(host);
    return state.links.some((line) => /^hpk0 .*NO-CARRIER/.test(line)) ? state : undefined;
  }, { what: "the end of the bridge's carrier", timeoutMs: 20_000 });
}

const ALL = ["container", "dns", "hairpin", "inbound", "local", "mss", "offload", "outbound"];

testIf({
  name: "host-setup: verify succeeds on a ready host, leaves nothing behind, and reports faults",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host, internet } = fresh;
  await addForeignRules(host);
  await host.run("tee", ["/etc/resolv.conf"], { stdin: `nameserver ${internet.gateway}\n` });
  const pristine = await stateOf(host);
  const early = await setup(host, ["--verify"]);
  assertEquals(early.code, 1);
  assertStringIncludes(
    early.stderr,
    "the network for Apptainer is not set up; run 'host-setup --apply' first",
  );
  assertSame(pristine, await stateOf(host));

  await setupJson(host, ["--apply"]);
  const dns = await internet.spawn(Deno.execPath(), [
    "run",
    "-A",
    "--no-config",
    import.meta.dirname + "/_dns_server.ts",
  ]);
  {
    await using _dns = dns;
    await dns.waitFor(/ready/, { timeoutMs: 20_000 });
    assertEquals(withStatus(await verify(host), "ok"), ALL);
    const before = await stateWithoutCarrier(host);
    const text = await setup(host, ["--verify", "--target", `${internet.outside}:9`]);
    assertEquals(text.code, 0, text.stdout);
    assertStringIncludes(text.stdout, "8 ok, 0 failed, 0 skipped");
    await eventually(async () => {
      assertSame(withoutCursor(before), withoutCursor(await stateOf(host)));
      return true;
    }, { what: "the state before --verify", timeoutMs: 20_000 });

    const rules = await savedRules(host);
    const broken: [string, string[]][] = [
      ["iptables -t mangle -F HPK-SETUP-FORWARD", ["mss"]],
      ["iptables -t nat -F HPK-SETUP-POST", ["dns", "outbound"]],
      ["iptables -F HPK-SETUP-FORWARD", ["inbound"]],
      ["ethtool -K hpk0 tx on", ["offload"]],
    ];
    for (const [breakIt, wrong] of broken) {
      await host.sh(breakIt);
      const proofs = await verify(host);
      assertEquals(withStatus(proofs, "failed"), wrong, breakIt);
      for (const { status, fix } of proofs) assertEquals(fix !== "", status === "failed");
      await setupJson(host, ["--apply"]);
      assertEquals(await savedRules(host), rules);
    }
  }
  assertEquals(withStatus(await verify(host, ["--target", `${internet.outside}:9`]), "failed"), [
    "dns",
  ]);

  assertEquals((await setupJson(host, ["--undo"])).left, []);
  assertSame(pristine, await stateOf(host));
});

testIf({ name: "host-setup: verify cleans up after a killed one", needs }, async () => {
  await using fresh = await freshHost();
  const { host, internet } = fresh;
  await host.run("tee", ["/etc/resolv.conf"]);
  const pristine = await stateOf(host);
  await setupJson(host, ["--apply"]);
  await using running = await host.spawn(HOST_SETUP, ["--verify", "--target", "192.0.2.77:9"]);
  await running.waitFor(/proving/);
  await host.sh("until ip netns list | grep -q hpk-verify-out; do sleep 0.02; done");
  running.signal("SIGKILL");
  await running.wait();
  assertEquals(withStatus(await verify(host, ["--target", `${internet.outside}:9`]), "failed"), []);
  assertEquals((await host.run("ip", ["netns", "list"])).stdout.trim(), "");
  assertEquals((await setupJson(host, ["--undo"])).left, []);
  assertSame(pristine, await stateOf(host));
});
