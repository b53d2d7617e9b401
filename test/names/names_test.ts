/**
 * Containers resolve each other's names, and outside names by the host's servers.
 *
 *   name server 198.51.100.1 (internet)
 *        |
 *   eth0 198.51.100.11 [ host ] hpk-bridge 10.96.0.1: dnsmasq
 *                                  |          |
 *                                 web        client
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  type Background,
  eventually,
  eventuallySame,
  images,
  Internet,
  PrivateHost,
  program,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { endContainer, holdContainer, ok } from "../harness/containers.ts";
import { hpk, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";
import { monitorPids } from "../harness/processes.ts";

const STATIC = ["--subnet", SUBNET];
const dnsNeeds = [...needs, program("dnsmasq")];

/** A name server outside the host, which has one name. */
async function outsideServer(internet: Internet): Promise<Background> {
  const server = await internet.spawn("dnsmasq", [
    ...["--keep-in-foreground", "--conf-file=", "--no-resolv", "--no-hosts", "--pid-file="],
    ...[
      "--address=/service.example/192.0.2.80",
      "--address=/web.hpk/192.0.2.66",
      "--log-facility=-",
    ],
  ]);
  await server.waitFor(/started/);
  return server;
}

/** A host that resolves outside names, behind systemd-resolved's stub. */
async function resolvedHost(internet: Internet): Promise<PrivateHost> {
  const host = await PrivateHost.create();
  await internet.attach(host, { address: "198.51.100.11/24" });
  await host.sh(
    `echo 'nameserver 127.0.0.53' > /etc/resolv.conf
     mkdir -p /run/systemd/resolve
     echo 'nameserver ${internet.gateway}' > /run/systemd/resolve/resolv.conf`,
  );
  return host;
}

/** The address that a container resolves a name to; empty if none. */
async function find(client: Background, name: string): Promise<string> {
  const from = client.stdout.length;
  await client.write(
    `echo "<$(busybox nslookup -type=a ${name} | tail -n +3 | ` +
      `sed -n 's/^Address[ 0-9]*: *//p' | tr '\\n' ' ')>"\n`,
  );
  const [, found] = await client.waitFor(/<(.*)>/, { stream: "stdout", from, timeoutMs: 20_000 });
  return found!.trim();
}

/** The C library's answer for a name in a container, which includes /etc/hosts. */
async function reach(client: Background, name: string): Promise<string> {
  const from = client.stdout.length;
  await client.write(`echo "<$(ping -c 1 -W 2 ${name} 2>&1 | head -n 1)>"\n`);
  const [, line] = await client.waitFor(/<(.*)>/, { stream: "stdout", from, timeoutMs: 20_000 });
  return /\(([0-9.]+)\)/.exec(line!)?.[1] ?? "";
}

testIf({ name: "containers of a host resolve each other's names", needs: dnsNeeds }, async (t) => {
  await using internet = await Internet.create();
  await using _outside = await outsideServer(internet);
  await using host = await resolvedHost(internet);
  const before = await snapshot(host);
  const { base } = await images();
  const client = await holdContainer(host, base, [...STATIC, "--name", "client"]);
  await t.step("a container started later, as soon as it has started", async () => {
    await ok(host, ["instance", "start", ...STATIC, "--ip", "10.96.0.50", base, "web_1"]);
    for (const name of ["web_1", "web_1.hpk", "web-1", "web-1.hpk"]) {
      assertEquals(await reach(client, name), "10.96.0.50", name);
    }
    assertEquals(await find(client, "web_1.hpk"), "10.96.0.50");
  });
  await t.step(
    "not a missing or ended container, and no query leaves the host for it",
    async () => {
      assertEquals(await find(client, "nobody.hpk"), "");
      // The outside server would have an answer.
      assertEquals(await find(client, "web.hpk"), "");
      await ok(host, ["instance", "stop", "web_1"]);
      assertEquals(await find(client, "web_1.hpk"), "");
    },
  );
  await t.step("a container that takes over a name", async () => {
    await ok(host, ["instance", "start", ...STATIC, "--ip", "10.96.0.51", base, "web_1"]);
    assertEquals(await reach(client, "web_1"), "10.96.0.51");
    await ok(host, ["instance", "stop", "web_1"]);
  });
  await t.step("outside names, behind systemd-resolved's stub", async () => {
    assertEquals(await find(client, "service.example"), "192.0.2.80");
  });
  await t.step("after the host's servers have changed", async () => {
    await host.sh("echo 'nameserver 192.0.2.99' > /run/systemd/resolve/resolv.conf");
    await eventually(async () => await find(client, "service.example") === "", {
      what: "the change",
      timeoutMs: 30_000,
    });
    await host.sh(`echo 'nameserver ${internet.gateway}' > /run/systemd/resolve/resolv.conf`);
    await eventually(async () => await find(client, "service.example") === "192.0.2.80", {
      what: "the change back",
      timeoutMs: 30_000,
    });
  });
  await t.step("after the name server was killed", async () => {
    await eventually(() => monitorPids(host).length === 1, { what: "the monitor", ...PATIENT });
    const pid = (await host.sh("cat /run/hpktainer/dnsmasq.pid")).stdout.trim();
    await host.run("kill", ["-KILL", pid]);
    await eventually(async () => await find(client, "client.hpk") !== "", {
      what: "another name server",
      ...PATIENT,
    });
    assert((await host.sh("cat /run/hpktainer/dnsmasq.pid")).stdout.trim() !== pid);
  });
  await t.step("though the policy of INPUT is DROP", async () => {
    await host.sh("iptables -P INPUT DROP");
    assertEquals(await find(client, "client.hpk"), "10.96.0.2");
    await host.sh("iptables -P INPUT ACCEPT");
  });
  await t.step("doctor reports it", async () => {
    const doctor = JSON.parse(await ok(host, ["doctor", "--json"], { HPK_SUBNET: SUBNET }));
    const names = doctor.checks.find(({ id }: { id: string }) => id === "names");
    assertEquals(names.status, "ok");
    assertMatch(names.found, /dnsmasq, pid [0-9]+/);
  });
  await endContainer(client);
  await eventuallySame(host, before, PATIENT);
});

testIf(
  { name: "a container may have servers of its own, or no names", needs: dnsNeeds },
  async () => {
    await using internet = await Internet.create();
    await using host = await resolvedHost(internet);
    const { base } = await images();
    await ok(host, ["instance", "start", ...STATIC, "--ip", "10.96.0.50", base, "web"]);
    const files = ["cat", "/etc/resolv.conf", "/etc/hosts"];
    const own = await ok(host, ["exec", ...STATIC, "--dns", "192.0.2.7", base, ...files]);
    assertMatch(own, /^nameserver 192\.0\.2\.7$/m);
    assertStringIncludes(own, "10.96.0.50\tweb.hpk web");
    const none = await ok(host, ["exec", ...STATIC, base, ...files], { HPK_NAMES: "no" });
    assertMatch(none, /^nameserver 198\.51\.100\.1$/m);
    assert(!none.includes("web"), none);
    await hpk(host, ["instance", "stop", "--all"], { check: true });
  },
);

testIf(
  { name: "without a name server, hosts files are kept current", needs: dnsNeeds },
  async (t) => {
    await using internet = await Internet.create();
    await using host = await resolvedHost(internet);
    // Something else has the port of name servers on every address.
    await using taken = await host.spawn("dnsmasq", [
      ...["--keep-in-foreground", "--conf-file=", "--no-resolv", "--no-hosts", "--pid-file="],
      ...["--log-facility=-", "--address=/service.example/192.0.2.80"],
    ]);
    await taken.waitFor(/started/);
    const before = await snapshot(host);
    const { base } = await images();
    const client = await holdContainer(host, base, [...STATIC, "--name", "client"]);
    await t.step("one that is started later", async () => {
      await ok(host, ["instance", "start", ...STATIC, "--ip", "10.96.0.50", base, "web"]);
      await eventually(async () => await reach(client, "web") === "10.96.0.50", {
        what: "the name",
        ...PATIENT,
      });
      assertEquals(await reach(client, "web.hpk"), "10.96.0.50");
      assertEquals(await reach(client, "client"), "10.96.0.2");
    });
    await t.step("one that has gone", async () => {
      await ok(host, ["instance", "stop", "web"]);
      await eventually(async () => await reach(client, "web") === "", {
        what: "its end",
        ...PATIENT,
      });
    });
    await t.step("doctor reports it", async () => {
      const doctor = JSON.parse(await ok(host, ["doctor", "--json"], { HPK_SUBNET: SUBNET }));
      const names = doctor.checks.find(({ id }: { id: string }) => id === "names");
      assertEquals([names.status, names.found], [
        "warn",
        "dnsmasq does not run; containers know names of this host only, by /etc/hosts",
      ]);
    });
    assert(taken.running);
    await endContainer(client);
    await eventuallySame(host, before, PATIENT);
  },
);
