/**
 * A host with firewalld, whose own tables no rule of iptables overrides.
 *
 *   internet 203.0.113.10 ── enX0 (zone public) [ host: dbus, firewalld ] hpk0 (zone trusted) ── containers
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  apptainerEnv,
  type Background,
  eventually,
  images,
  type PrivateHost,
  program,
  testIf,
} from "../harness/mod.ts";
import { freshHost, needs, setup, setupJson } from "./_host_setup.ts";

/** Starts the real firewalld, and its message bus. */
async function startFirewalld(host: PrivateHost): Promise<Background[]> {
  await host.sh("mkdir -p /run/dbus");
  const bus = await host.spawn("dbus-daemon", ["--system", "--nofork", "--nopidfile"]);
  await eventually(() => host.sh("[ -S /run/dbus/system_bus_socket ]"), {
    what: "the bus",
    timeoutMs: 20_000,
  });
  const daemon = await host.spawn("firewalld", ["--nofork", "--nopid"]);
  await eventually(
    async () => (await host.run("firewall-cmd", ["--state"], { check: false })).code === 0,
    {
      what: "firewalld",
      timeoutMs: 60_000,
      intervalMs: 500,
    },
  );
  return [daemon, bus];
}

testIf(
  {
    name:
      "host-setup: with the real firewalld, containers reach the outside, also after its reload, and undo reverts that",
    needs: [...needs, program("firewalld"), program("firewall-cmd"), program("dbus-daemon")],
  },
  async () => {
    await using fresh = await freshHost();
    const { host, internet } = fresh;
    const { base } = await images();
    const daemons = await startFirewalld(host);
    await using _daemon = daemons[0]!;
    await using _bus = daemons[1]!;
    const zone = async () =>
      (await host.run("firewall-cmd", ["--zone=trusted", "--list-interfaces"])).stdout.trim();
    const ping = async () => {
      const words = [
        "exec",
        "--net",
        "--network",
        "hpk",
        base,
        "ping",
        "-c",
        "1",
        "-W",
        "3",
        internet.outside,
      ];
      const { stdout } = await host.run("apptainer", words, { env: apptainerEnv(), check: false });
      return stdout.includes("1 packets received");
    };
    const { changes } = await setupJson(host, ["--apply"]);
    assertEquals(
      changes.filter(({ kind }) => kind === "firewalld").map(({ id, new: now }) => [id, now]),
      [["hpk0", "in the zone trusted"]],
    );
    assertEquals(await zone(), "hpk0");
    assertEquals(await ping(), true);
    assertEquals((await setup(host, ["--check"])).code, 0);

    await host.run("firewall-cmd", ["--reload"]);
    assertEquals(await zone(), "hpk0", "it is permanent");
    // A reload of firewalld 1 flushes all rules of iptables, whoever made them; one of firewalld 2 does not.
    const flushed = !(await host.run("iptables-save")).stdout.includes("hpk0");
    assertEquals((await setup(host, ["--check"])).code, flushed ? 2 : 0);
    const repaired = await setupJson(host, ["--apply"]);
    assertEquals(repaired.changes.map(({ kind }) => kind), flushed ? ["firewall"] : []);
    assert(
      repaired.notes.some((note) => note.includes("FlushAllOnReload=no")),
      repaired.notes.join(),
    );
    assertEquals(await ping(), true);

    // It is the zone that lets packets pass.
    await host.run("firewall-cmd", ["--zone=trusted", "--remove-interface=hpk0"]);
    const check = await setup(host, ["--check"]);
    assertEquals(check.code, 2);
    assertStringIncludes(check.stdout, "hpk0 in firewalld: absent -> in the zone trusted");
    await setupJson(host, ["--apply"]);
    assertEquals(await zone(), "hpk0");

    assertEquals((await setupJson(host, ["--undo"])).left, []);
    assertEquals(await zone(), "");
    assertEquals(
      (await host.run("firewall-cmd", ["--permanent", "--zone=trusted", "--list-interfaces"]))
        .stdout.trim(),
      "",
    );
  },
);
