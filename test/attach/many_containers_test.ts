/**
 * A start among many containers does not inspect them, and all of them are taken down at once.
 *
 *   [ host ] hpk-bridge 10.96.0.1/20 ──┬── container 1
 *                                      :
 *                                      └── container 40
 *
 * `deno task bench:thousand` measures the time.
 */
import { assert, assertEquals } from "@std/assert";
import { eventually, eventuallySame, PrivateHost, snapshot, testIf } from "../harness/mod.ts";
import { attachMany, endAll, prepare } from "../bench/_many_containers.ts";
import { hpk, HPKTAINER, needs } from "../harness/hpktainer.ts";
import { monitorPids } from "../harness/processes.ts";

const LINKS = import.meta.resolve("../../packages/core/src/os/links.ts");

const MANY = 40;
const PATIENT = { timeoutMs: 60_000 };

testIf({ name: `a start among ${MANY} containers inspects none of them`, needs }, async (t) => {
  await using host = await PrivateHost.create();
  await prepare(host);
  const before = await snapshot(host);
  await attachMany(host, HPKTAINER, MANY);
  const { stdout } = await hpk(host, ["ps", "--json"], { check: true });
  const { containers } = JSON.parse(stdout);
  assertEquals(containers.length, MANY);
  assertEquals(new Set(containers.map(({ address }: { address: string }) => address)).size, MANY);
  await t.step("the monitor holds a descriptor for each owner, and no more", async () => {
    await eventually(async () => {
      // "anon_inode:[pidfd]", or "pidfd:[NUMBER]" from Linux 6.9 on.
      const [monitor] = monitorPids(host);
      const { stdout } = await host.sh(`ls -l /proc/${monitor}/fd | grep -c pidfd`);
      // One more where it waits for the name server too.
      return [MANY, MANY + 1].includes(Number(stdout));
    }, { what: "a pidfd for each container", ...PATIENT });
  });
  await t.step("a start reads no link of another container", async () => {
    const read = `import { readHostFacts } from "${LINKS}";
      console.log(readHostFacts(["hpk-bridge"]).links.map(({ name }) => name).join("\\n"));`;
    const { stdout } = await host.run(Deno.execPath(), ["eval", "--no-config", read]);
    assert(stdout.includes("hpk-bridge\n"), stdout);
    assertEquals(stdout.match(/^hpk[0-9a-f]{12}$/gm), null);
  });
  await t.step("all end at once, and nothing is left behind", async () => {
    await endAll(host);
    assertEquals((await host.sh("cat /etc/stand-in/errors; rm /etc/stand-in/errors")).stdout, "");
    await eventuallySame(host, before, PATIENT);
  });
});
