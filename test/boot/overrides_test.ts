/** `host-setup boot-overrides`, used with plain Apptainer as its README describes. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  apptainerEnv,
  assertSame,
  eventually,
  type PrivateHost,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { HOST_SETUP } from "../host-setup/_host_setup.ts";
import { PATIENT } from "../harness/hpktainer.ts";
import { bootHost, MASKED_IN_IMAGE, MISCHIEF_BINDS, networkOf } from "./_booted.ts";
import { bootImage, needs } from "./_image.ts";

const DIRECTORY = "/etc/boot-overrides";

/** Apptainer ignores APPTAINER_DROP_CAPS in a boot. */
function capabilityOptions(): string[] {
  const missing = apptainerEnv()["APPTAINER_DROP_CAPS"];
  return missing === undefined
    ? []
    : ["--keep-privs", "--drop-caps", `CAP_SYS_BOOT,CAP_SYS_RAWIO,${missing}`];
}

/** Control groups in a root group that are called as systemd calls its own. */
async function systemdGroups(host: PrivateHost): Promise<string[]> {
  const name = ".*\\.\\(scope\\|slice\\|mount\\)";
  const find = `find /sys/fs/cgroup -maxdepth 2 -type d -regex '${name}'`;
  return (await host.sh(find)).stdout.split("\n").filter((path) => path !== "");
}

testIf({
  name: "with boot-overrides, plain apptainer boots in the host's network and leaves it alone",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  const allow = ["--allow", "systemd-timesyncd.service"];
  const args = ["boot-overrides", "--dest", DIRECTORY, ...allow, "--json"];
  const written = JSON.parse((await host.run(HOST_SETUP, args)).stdout);
  assertEquals([written.version, written.directory], [1, DIRECTORY]);
  assertEquals(JSON.parse((await host.run(HOST_SETUP, args)).stdout).changed, []);
  const readme = (await host.sh(`cat ${DIRECTORY}/README`)).stdout;
  const command = /^ {2}(APPTAINER_BIND=.* IMAGE NAME)$/m.exec(readme)![1]!;

  const before = await snapshot(host);
  const groupsBefore = await systemdGroups(host);
  const options = [...capabilityOptions(), ...MISCHIEF_BINDS].join(" ");
  await host.sh(command.replace("IMAGE NAME", `${options} ${await bootImage()} web`));
  const inside = async (words: string, check = true): Promise<string> => {
    const exec = `apptainer exec --pwd / instance://web ${words}`;
    return (await host.sh(exec, { env: apptainerEnv(), check })).stdout.trim();
  };
  await eventually(
    async () => (await inside("systemctl is-system-running --wait", false)) === "running",
    { what: "the end of the boot", ...PATIENT },
  );
  assertEquals(await inside("systemctl is-active nginx"), "active");
  assertSame(networkOf(before), networkOf(await snapshot(host)));
  for (const unit of MASKED_IN_IMAGE) {
    const state = await inside(`systemctl show --property=LoadState --value ${unit}`);
    assertEquals(state, unit === "systemd-timesyncd.service" ? "loaded" : "masked", unit);
  }
  const own = /apptainer\/\d+/.exec(await inside("cat /proc/1/cgroup"))?.[0];
  await host.run("apptainer", ["instance", "stop", "web"], { env: apptainerEnv() });
  // Apptainer leaves the control groups that systemd has made: in the instance's own group, or,
  // where it has given it none, in the host's.
  const left = (await systemdGroups(host)).filter((path) => !groupsBefore.includes(path));
  if (own !== undefined) left.push(`/sys/fs/cgroup/*/${own}`);
  if (left.length > 0) {
    await host.sh(`find ${left.join(" ")} -depth -type d -exec rmdir {} + || :`);
  }
});

testIf({
  name: "boot-overrides that is killed at a step is finished by the next run",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  const run = async (env: Record<string, string> = {}) =>
    (await host.run(HOST_SETUP, ["boot-overrides", "--dest", DIRECTORY], { env, check: false }))
      .code;
  const listing = async () =>
    (await host.sh(`cd ${DIRECTORY}; find . -type f | sort | xargs sha256sum`)).stdout;
  assertEquals(await run({ HPK_FAULT_TRACE: "/etc/trace" }), 0);
  const whole = await listing();
  const all = (await host.sh("cat /etc/trace")).stdout.trim().split("\n");
  assert(all.length > 50, `${all.length} points`);
  // Of the files of masks, which are all alike, the first and the last.
  const masks = all.filter((point) => point.includes("/etc/systemd/system/"));
  const points = all.filter((point) =>
    !masks.includes(point) || point === masks[0] || point === masks.at(-1)
  );
  for (const point of points) {
    await host.sh(`rm -r ${DIRECTORY}`);
    assertEquals(await run({ HPK_FAULT_KILL: point }), 137, point);
    assertEquals(await run(), 0, point);
    assertEquals(await listing(), whole, point);
  }
});

testIf({
  name: "boot-overrides refuses, in one line, a foreign directory and a unit that is not masked",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  const before = await snapshot(host);
  const cases: [string[], RegExp][] = [
    [
      ["--dest", "/etc/ssl"],
      /^host-setup: cannot write to \/etc\/ssl: it contains files that host-setup did not write; /,
    ],
    [
      ["--dest", "/etc/passwd/x"],
      /^host-setup: cannot write to \/etc\/passwd\/x: a file is in the way/,
    ],
    [["--dest", DIRECTORY, "--allow", "nginx"], /^host-setup: cannot allow 'nginx' to run: /],
    [[], /^host-setup: cannot run 'host-setup boot-overrides': .*--dest/],
  ];
  for (const [options, says] of cases) {
    const { code, stdout, stderr } = await host.run(HOST_SETUP, ["boot-overrides", ...options], {
      check: false,
    });
    assertEquals([code, stdout], [1, ""], stderr);
    assertMatch(stderr, says);
    assert(stderr.trimEnd().split("\n").length === 1, stderr);
  }
  assertSame(before, await snapshot(host));
});
