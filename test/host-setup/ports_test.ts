/**
 * Ports in host.ini are published for instances, whatever address these have.
 *
 *   internet ── enX0 198.51.100.11:80, :443 [ host ] ── instance web 10.96.0.x:80, :443
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { assertSame, eventually, images, type PrivateHost, testIf } from "../harness/mod.ts";
import { ask, inContainer, serve } from "../harness/echo_place.ts";
import { freshHost, needs, setup, setupJson, stateOf } from "./_host_setup.ts";

const HPKTAINER = Deno.env.get("HPKTAINER") ??
  new URL("../../dist/hpktainer", import.meta.url).pathname;
const STATIC = ["--subnet", "10.96.0.0/24"];
const ADDRESS = "198.51.100.11";
const PORTS = [80, 443];

async function hpk(host: PrivateHost, ...args: string[]): Promise<string> {
  return (await host.run(HPKTAINER, args)).stdout;
}

/** Starts the instance, with a server on its address for each port. */
async function startWeb(host: PrivateHost, image: string, ip: string): Promise<AsyncDisposable> {
  await hpk(host, "instance", "start", ...STATIC, "--ip", ip, image, "web");
  const place = await inContainer(host, "web");
  const servers = new AsyncDisposableStack();
  for (const port of PORTS) servers.use(await serve(place, ip, port));
  return servers;
}

testIf({
  name: "host-setup: ports in host.ini reach an instance, and follow it to another address",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host, internet } = fresh;
  const { base } = await images();
  const before = await stateOf(host);
  await setupJson(host, ["--apply"]);
  const applied = await stateOf(host);
  await host.sh(
    "printf '80 = instance:web:80\\n443 = instance:web:443\\n' > /etc/hpktainer/host.ini",
  );
  assertEquals((await setup(host, ["--check"])).code, 0, "no instance is running: nothing to do");

  const assertReached = async (ports: readonly number[]) => {
    // The server answers with the client's address: published ports preserve it.
    for (const port of ports) {
      assertEquals(await ask(internet, "tcp", ADDRESS, port), "198.51.100.1");
    }
  };
  for (const ip of ["10.96.0.20", "10.96.0.30"]) {
    await using _web = await startWeb(host, base, ip);
    await assertReached(PORTS);
    assertEquals((await setup(host, ["--check"])).code, 0, "hpktainer published them at the start");
    await hpk(host, "instance", "stop", "web");
  }

  await host.sh("rm /etc/hpktainer/host.ini");
  {
    await using _web = await startWeb(host, base, "10.96.0.40");
    await host.sh("printf '80 = instance:web:80\\n' > /etc/hpktainer/host.ini");
    const added = await setupJson(host, ["--apply"]);
    assertEquals(added.changes.map(({ kind, id }) => `${kind} ${id}`), ["port web 80:80/tcp"]);
    await assertReached([80]);
    assertEquals((await setup(host, ["--check"])).code, 0);

    await host.sh(": > /etc/hpktainer/host.ini");
    const removed = await setupJson(host, ["--apply"]);
    assertEquals(removed.changes.map(({ kind, new: now }) => [kind, now]), [["port", null]]);
    assertEquals(JSON.parse(await hpk(host, "port", "ls", "--json")).ports, []);
  }
  await hpk(host, "instance", "stop", "web");
  await host.sh("rm /etc/hpktainer/host.ini");
  await eventually(async () => {
    assertSame(applied, await stateOf(host));
    return true;
  }, { what: "the state after apply", timeoutMs: 20_000 });
  assertEquals((await setupJson(host, ["--undo"])).left, []);
  assertSame(before, await stateOf(host));
});

testIf({
  name:
    "host-setup: a wrong line of host.ini is reported by its number, also at the start of an instance",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  const { base } = await images();
  await host.sh(
    "mkdir -p /etc/hpktainer; printf '# ours\\n80 = web:80\\n' > /etc/hpktainer/host.ini",
  );
  const before = await stateOf(host);
  const message = "/etc/hpktainer/host.ini:2: cannot read 'web:80': it is not instance:NAME:PORT";
  for (const act of ["--plan", "--check", "--apply"]) {
    const { code, stderr } = await setup(host, [act]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, message);
  }
  const start = await host.run(HPKTAINER, ["instance", "start", ...STATIC, base, "web"], {
    check: false,
  });
  assertEquals(start.code, 125);
  assertStringIncludes(start.stderr, message);
  assertEquals((await setup(host, ["--undo"])).code, 0, "undo does not need it");
  assertSame(before, await stateOf(host));
});

testIf({
  name: "host-setup: forwarding is restored, whichever of host-setup and hpktainer came first",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  const { base } = await images();
  const before = await stateOf(host);
  const forwarding = async () => (await host.sh("cat /proc/sys/net/ipv4/ip_forward")).stdout.trim();
  const same = () =>
    eventually(async () => {
      assertSame(before, await stateOf(host));
      return true;
    }, { what: "the state before", timeoutMs: 20_000 });

  // Containers first: the state before them counts as the state before host-setup.
  await hpk(host, "instance", "start", ...STATIC, base, "web");
  await setupJson(host, ["--apply"]);
  await hpk(host, "instance", "stop", "web");
  assertEquals(await forwarding(), "1", "hpktainer leaves forwarding on for host-setup");
  assertEquals((await setup(host, ["--check"])).code, 0);
  assertEquals((await setupJson(host, ["--undo"])).left, []);
  await same();

  // host-setup first, and undone while a container runs.
  await setupJson(host, ["--apply"]);
  await hpk(host, "instance", "start", ...STATIC, base, "web");
  const { left } = await setupJson(host, ["--undo"], 1);
  assertEquals(left.map(({ id, later }) => [id, later]), [["net/ipv4/ip_forward", true]]);
  assertEquals(await forwarding(), "1", "the container needs it");
  await hpk(host, "instance", "stop", "web");
  assertEquals((await setupJson(host, ["--undo"])).left, []);
  await same();
});
