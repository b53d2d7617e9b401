/**
 * Host ports published for containers.
 *
 *   outside 203.0.113.10
 *        |
 *   internet 198.51.100.1 ── eth0 198.51.100.11 [ host, 127.0.0.1 ] hpk-bridge 10.96.0.1
 *                                                                      |           |
 *                                                     server 10.96.0.10   client 10.96.0.11
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  type Background,
  eventually,
  eventuallySame,
  images,
  Internet,
  type Place,
  PrivateHost,
  settledSnapshot,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { endContainer, holdContainer, listed, ok } from "../harness/containers.ts";
import { ask, assertSilent, inContainer, serve } from "../harness/echo_place.ts";
import { hpk, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";
import { killMonitor } from "../harness/processes.ts";

const STATIC = ["--subnet", SUBNET];
const UPLINK = "198.51.100.11";
const GATEWAY = "10.96.0.1";
const SERVER = "10.96.0.10";
const CLIENT = "10.96.0.11";
const PORT = 7007;

async function start(host: Place, image: string, name: string, ...options: string[]) {
  await ok(host, ["instance", "start", ...STATIC, ...options, image, name]);
}

/** A host with an uplink, and a container on it with a server for TCP and UDP. */
async function servingHost(
  internet: Internet,
  ...options: string[]
): Promise<{ host: PrivateHost; server: Background; image: string }> {
  const host = await PrivateHost.create();
  await internet.attach(host, { address: `${UPLINK}/24` });
  const { base: image } = await images();
  await start(host, image, "server", "--ip", SERVER, ...options);
  return { host, image, server: await serve(await inContainer(host, "server"), SERVER, PORT) };
}

/** Makes a host route 127.0.0.1 to a neighbour, as an attacker with its privileges can. */
async function sendLoopbackTo(place: Place, link: string, neighbour: string): Promise<void> {
  await place.sh(
    `ip address delete 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via ${neighbour}
     echo 1 > /proc/sys/net/ipv4/conf/${link}/route_localnet`,
  );
}

/** Whether iptables sees the frames of bridges: 1 on hosts with Docker or Kubernetes, else 0. */
const SEES_FRAMES = "/proc/sys/net/bridge/bridge-nf-call-iptables";

const leadsFromEverywhere = (seesFrames: string) => async (t: Deno.TestContext) => {
  await using internet = await Internet.create();
  await using clean = await PrivateHost.create();
  await internet.attach(clean, { address: "198.51.100.12/24" });
  const { host, server, image } = await servingHost(
    internet,
    ...["--publish", `8080:${PORT},8080:${PORT}/udp`],
    ...["--publish", `127.0.0.1:8081:${PORT}`, "--publish", `${UPLINK}:8082:${PORT}/udp`],
  );
  await using _host = host;
  await host.sh(`! [ -f ${SEES_FRAMES} ] || echo ${seesFrames} > ${SEES_FRAMES}`);
  await using _server = server;
  await start(host, image, "client", "--ip", CLIENT);
  const places: Record<string, Place> = {
    "the internet": internet,
    "another host": clean,
    "the host": host,
    "another container": await inContainer(host, "client"),
    "the container itself": await inContainer(host, "server"),
  };
  // The client's own address, unless the answer would bypass the host, or not leave it.
  const cases: [from: string, address: string, port: number, seenAs: string][] = [
    ["the internet", UPLINK, 8080, "198.51.100.1"],
    ["another host", UPLINK, 8080, "198.51.100.12"],
    ["the host", UPLINK, 8080, UPLINK],
    ["the host", GATEWAY, 8080, GATEWAY],
    ["the host", "127.0.0.1", 8080, GATEWAY],
    ["another container", UPLINK, 8080, GATEWAY],
    ["another container", GATEWAY, 8080, GATEWAY],
    ["the container itself", UPLINK, 8080, GATEWAY],
  ];
  for (const [from, address, port, seenAs] of cases) {
    for (const transport of ["tcp", "udp"] as const) {
      await t.step(`from ${from} to ${address} by ${transport}, seen as ${seenAs}`, async () => {
        assertEquals(await ask(places[from]!, transport, address, port), seenAs);
      });
    }
  }
  await t.step("on one address, from there only", async () => {
    assertEquals(await ask(host, "tcp", "127.0.0.1", 8081), GATEWAY);
    await assertSilent(host, "tcp", UPLINK, 8081);
    await assertSilent(internet, "tcp", UPLINK, 8081);
    assertEquals(await ask(internet, "udp", UPLINK, 8082), "198.51.100.1");
    await assertSilent(host, "udp", "127.0.0.1", 8082);
  });
  await t.step("the host's loopback is closed to containers and neighbours", async () => {
    await using secret = await serve(host, "127.0.0.1", 6006);
    const container = places["another container"]!;
    await sendLoopbackTo(container, "eth0", GATEWAY);
    await sendLoopbackTo(internet, "net0", UPLINK);
    await assertSilent(container, "tcp", "127.0.0.1", 6006);
    await assertSilent(container, "tcp", "127.0.0.1", 8081);
    await assertSilent(internet, "tcp", "127.0.0.1", 8081);
    // Our rule closes it: without the rule, the answer arrives.
    const rule = "HPK-PREROUTING -d 127.0.0.0/8 -i hpk-bridge -j DROP";
    await host.sh(`iptables -t mangle -D ${rule}`);
    assertEquals(await ask(container, "tcp", "127.0.0.1", 6006), CLIENT);
    await ok(host, ["exec", ...STATIC, image, "true"]);
    await assertSilent(container, "tcp", "127.0.0.1", 6006);
    assert(secret.running);
  });
  await t.step("ps, show and port ls show it", async () => {
    assertMatch(
      await ok(host, ["ps"]),
      /server .* 8080:7007\/tcp, 8080:7007\/udp, 127\.0\.0\.1:8081:7007\/tcp, 198\.51\.100\.11:8082:7007\/udp /,
    );
    const { container } = JSON.parse(await ok(host, ["show", "server", "--json"]));
    assertEquals(container.ports[0], {
      protocol: "tcp",
      hostAddress: null,
      hostPort: 8080,
      containerPort: PORT,
      count: 1,
    });
    const { ports } = JSON.parse(await ok(host, ["port", "ls", "--json"]));
    assertEquals(ports.length, 4);
    assertEquals([ports[2].container, ports[2].address, ports[2].hostAddress], [
      "server",
      SERVER,
      "127.0.0.1",
    ]);
  });
  await hpk(host, ["instance", "stop", "--all"], { check: true });
};

for (const seesFrames of ["0", "1"]) {
  testIf({
    name:
      `a published port reaches the container from everywhere, bridge-nf-call-iptables=${seesFrames}`,
    needs,
  }, leadsFromEverywhere(seesFrames));
}

testIf({ name: "published ports go with the container, however it ends", needs }, async (t) => {
  await using internet = await Internet.create();
  await using host = await PrivateHost.create();
  await internet.attach(host, { address: `${UPLINK}/24` });
  const { base } = await images();
  const before = await snapshot(host);
  const options = [...STATIC, "--publish", "8080:80", "--publish", "5000-5009:5000-5009/udp"];
  const assertOpen = async () => {
    const rules = (await host.run("iptables-save", ["-t", "nat"])).stdout;
    assertStringIncludes(rules, "--dport 8080 ");
    assertStringIncludes(rules, "--dport 5000:5009 ");
  };
  await t.step("by itself", async () => {
    const held = await holdContainer(host, base, options);
    await assertOpen();
    await endContainer(held);
    await eventuallySame(host, before, PATIENT);
  });
  await t.step("by SIGKILL", async () => {
    const held = await holdContainer(host, base, options);
    await assertOpen();
    held.signal("SIGKILL");
    await held.wait();
    await eventuallySame(host, before, PATIENT);
  });
  await t.step("by SIGKILL, the monitor's too: the next start takes over its ports", async () => {
    const held = await holdContainer(host, base, options);
    await killMonitor(host);
    held.signal("SIGKILL");
    await held.wait();
    await assertOpen();
    const next = await holdContainer(host, base, options);
    await assertOpen();
    assertEquals((await listed(host)).length, 1);
    await endContainer(next);
    await eventuallySame(host, before, PATIENT);
  });
  await t.step("while another container runs, whose ports stay", async () => {
    const other = await holdContainer(host, base, [...STATIC, "--publish", "9090:90"]);
    const held = await holdContainer(host, base, options);
    await endContainer(held);
    await eventually(async () => (await listed(host)).length === 1, { what: "one", ...PATIENT });
    const rules = (await host.run("iptables-save", ["-t", "nat"])).stdout;
    assert(!rules.includes("8080"), rules);
    assertStringIncludes(rules, "--dport 9090 ");
    await endContainer(other);
    await eventuallySame(host, before, PATIENT);
  });
  const LOCALNET = "ipv4/conf/hpk-bridge/route_localnet";
  await t.step("on an existing bridge, whose setting is restored", async () => {
    await host.sh("ip link add hpk-bridge type bridge");
    const bare = await snapshot(host);
    const held = await holdContainer(host, base, options);
    await assertOpen();
    assert(bare.sysctls.includes(`${LOCALNET}:0`), bare.sysctls.join("\n"));
    assert((await snapshot(host)).sysctls.includes(`${LOCALNET}:1`));
    await endContainer(held);
    await eventually(async () => {
      const { sysctls, firewall4 } = await snapshot(host);
      assertEquals([sysctls, firewall4], [bare.sysctls, bare.firewall4]);
      return true;
    }, { what: "the bridge's setting", ...PATIENT });
    await host.sh("ip link delete hpk-bridge");
  });
});

testIf({ name: "a port in use is refused, naming its owner", needs }, async (t) => {
  await using host = await PrivateHost.create();
  await host.sh("ip link add up0 type veth peer name up1; ip address add 192.0.2.1/24 dev up0");
  const { base } = await images();
  await using listener = await serve(host, "127.0.0.1", 6006);
  await host.sh(
    `iptables -t nat -N DOCKER
     iptables -t nat -A DOCKER ! -i docker0 -p tcp --dport 7070 -j DNAT --to-destination 172.17.0.2:80
     iptables -t nat -A PREROUTING -d 203.0.113.1 -p tcp --dport 7071 -j DNAT --to-destination 172.17.0.2`,
  );
  const web = await holdContainer(host, base, [...STATIC, "--name", "web", "--publish", "8080:80"]);
  // The monitor starts working after the first container has started.
  await eventually(async () => {
    const { files, processes } = await snapshot(host);
    return files.some((line) => line.startsWith("/run/hpktainer/attach.sock ")) &&
      !processes.some((line) => line.startsWith("sleep "));
  }, { what: "the monitor's beginning", ...PATIENT });
  const before = await settledSnapshot(host);
  const cases: [publish: string, why: RegExp][] = [
    ["8080:81", /8080:81\/tcp: container 'web' has it; /],
    ["127.0.0.1:8000-9000:8000-9000", /: container 'web' has it; /],
    ["6006:80", /6006:80\/tcp: deno \(pid [0-9]+\) listens on 127\.0\.0\.1:6006; /],
    ["6006:80/udp", /6006:80\/udp: deno \(pid [0-9]+\) listens on 127\.0\.0\.1:6006; /],
    ["7070:80", /7070:80\/tcp: a rule of another program, in chain DOCKER of the packet filter, /],
    ["1:1,127.0.0.1:1:1", /127\.0\.0\.1:1:1\/tcp: 1:1\/tcp is requested as well; /],
    ["192.0.2.9:80:80", /: no interface of the host has the address 192\.0\.2\.9; /],
    ["[::1]:80:80", /\[::1\]:80:80\/tcp: the container has no IPv6 address; /],
    ["80", /^hpktainer: option --publish: cannot use publish '80': .* give \[IP:\]HOSTPORT:PORT/],
  ];
  for (const [publish, why] of cases) {
    await t.step(publish, async () => {
      const { code, stdout, stderr } = await hpk(host, [
        ...["exec", ...STATIC, "--publish", publish, base, "echo", "started"],
      ]);
      assertEquals([code, stdout], [125, ""]);
      assertMatch(stderr, why);
      await eventuallySame(host, before, PATIENT);
    });
  }
  await t.step("a free one is assigned", async () => {
    const publish = "8080:80/udp,192.0.2.1:6006:80,7071:80,0:80,127.0.0.1:0:81";
    const held = await holdContainer(host, base, [...STATIC, "--name", "b", "--publish", publish]);
    const { ports } = JSON.parse(await ok(host, ["port", "ls", "b", "--json"]));
    const given = ports.slice(-2).map((port: { hostPort: number }) => port.hostPort);
    for (const port of given) assert(port >= 1024 && port !== 8080, `${port}`);
    await endContainer(held);
  });
  assert(listener.running);
  await endContainer(web);
});
