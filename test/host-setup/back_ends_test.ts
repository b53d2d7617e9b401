/**
 * Both back ends of iptables, each alone and both in use.
 *
 *   iptables ── /etc/alternatives ──┬── nf_tables
 *                                   └── legacy tables      a packet passes the rules of both
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  apptainerEnv,
  assertSame,
  images,
  type PrivateHost,
  program,
  testIf,
} from "../harness/mod.ts";
import {
  addForeignRules,
  freshHost,
  needs,
  savedRules,
  setup,
  setupJson,
  stateOf,
} from "./_host_setup.ts";

const legacyNeeds = [...needs, program("iptables-legacy-restore"), program("busybox")];

/** Makes iptables write to the legacy tables, as update-alternatives does it. */
async function useLegacy(host: PrivateHost): Promise<void> {
  for (const name of ["iptables", "iptables-save", "iptables-restore"]) {
    const target = name.replace("iptables", "/usr/sbin/iptables-legacy");
    await host.run("ln", ["-sfn", target, `/etc/alternatives/${name}`]);
  }
}

testIf({
  name:
    "host-setup: with the legacy back end, apply and undo leave other rules exactly as they are",
  needs: legacyNeeds,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await useLegacy(host);
  await addForeignRules(host);
  const foreign = await savedRules(host);
  await setupJson(host, ["--apply"]);
  assertStringIncludes(await savedRules(host), "-A FORWARD -j HPK-SETUP-FORWARD");
  assertEquals((await setup(host, ["--check"])).code, 0);
  assertEquals(await savedRules(host, "iptables-nft-save"), "", "the other back end is unchanged");
  assertEquals((await setupJson(host, ["--undo"])).left, []);
  assertEquals(await savedRules(host), foreign);
});

testIf({
  name: "host-setup: if legacy rules drop forwarded packets, containers pass them as well",
  needs: legacyNeeds,
}, async () => {
  await using fresh = await freshHost();
  const { host, internet } = fresh;
  const { base } = await images();
  await host.sh(
    "iptables-legacy -P FORWARD DROP; iptables-legacy -t nat -L >/dev/null; iptables-legacy -t mangle -L >/dev/null",
  );
  const before = await stateOf(host);
  const legacy = await savedRules(host, "iptables-legacy-save");
  const { notes } = await setupJson(host, ["--apply"]);
  assert(notes.some((note) => note.includes("both back ends")), notes.join());
  assertEquals((await setup(host, ["--check"])).code, 0);
  const { stdout } = await host.run(
    "apptainer",
    ["exec", "--net", "--network", "hpk", base, "ping", "-c", "1", "-W", "5", internet.outside],
    { env: apptainerEnv() },
  );
  assertStringIncludes(stdout, "1 packets received");
  await host.sh(
    "iptables -D FORWARD -m comment --comment 'CNI firewall plugin rules' -j CNI-FORWARD; iptables -F CNI-FORWARD; iptables -X CNI-FORWARD; iptables -X CNI-ADMIN",
  );
  await host.sh("rm -r /var/lib/cni");
  assertEquals((await setupJson(host, ["--undo"])).left, []);
  assertEquals(await savedRules(host, "iptables-legacy-save"), legacy);
  assertSame(before, await stateOf(host));
});
