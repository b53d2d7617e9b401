/**
 * Containers with an address of each family.
 *
 *   outside 203.0.113.10, 2001:db8:ffff::10
 *        |
 *   internet 198.51.100.1, 2001:db8:100::1 ── eth0 [ host ] hpk-bridge 10.96.0.1, fd00:96::1
 *                                                               |            |
 *                                                           container    container
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  eventuallySame,
  images,
  Internet,
  linksReady,
  type Place,
  PrivateHost,
  program,
  snapshot,
  testIf,
  tunDevice,
} from "../harness/mod.ts";
import { hpk, needs, SUBNET, SUBNET6 } from "../harness/hpktainer.ts";

const DUAL = ["--subnet", SUBNET, "--subnet6", SUBNET6];
const OUTSIDE6 = "2001:db8:ffff::10";
const HOST6 = "2001:db8:100::11";
const CALM = { timeoutMs: 30_000 };
const ECHO = [
  "run",
  "-A",
  "--unstable-net",
  new URL("../harness/echo.ts", import.meta.url).pathname,
];
const needs6 = [...needs, program("ip6tables-restore")];

/** A host with an uplink of both families. */
async function connectedHost(internet: Internet): Promise<PrivateHost> {
  await internet.sh(`
    ip -6 addr add 2001:db8:100::1/64 dev net0 nodad
    ip -6 addr add ${OUTSIDE6}/128 dev lo nodad
  `);
  const host = await PrivateHost.create();
  await internet.attach(host, { address: "198.51.100.11/24" });
  await host.sh(`
    ip -6 addr add ${HOST6}/64 dev eth0 nodad
    ip -6 route add default via 2001:db8:100::1
  `);
  return host;
}

interface Pod {
  readonly address6: string;
  readonly prefix: readonly string[];
}

async function startPod(host: Place, name: string, options: readonly string[] = []): Promise<Pod> {
  const { base } = await images();
  await hpk(host, ["instance", "start", ...DUAL, ...options, base, name], { check: true });
  const shown = (await hpk(host, ["show", name, "--json"], { check: true })).stdout;
  const { address6, gateway6, subnet6, namespace } = JSON.parse(shown).container;
  assertEquals([gateway6, subnet6], ["fd00:96::1", SUBNET6]);
  return { address6, prefix: ["ip", "netns", "exec", namespace] };
}

/** Asserts that a server sees a client as `seenAs`, by TCP and UDP. */
async function assertSeenAs(
  server: { place: Place; prefix: readonly string[]; address: string },
  client: { place: Place; prefix: readonly string[] },
  seenAs: string,
): Promise<void> {
  const [command, ...args] = [...server.prefix, Deno.execPath(), ...ECHO];
  await using serving = await server.place.spawn(command!, [
    ...args,
    ...["serve", server.address, "7007"],
  ]);
  await serving.waitFor(/ready/, { timeoutMs: 20_000 });
  for (const transport of ["tcp", "udp"]) {
    const [command, ...args] = [...client.prefix, Deno.execPath(), ...ECHO];
    const words = [...args, "ask", transport, server.address, "7007"];
    const { stdout } = await client.place.run(command!, words, { timeoutMs: 20_000 });
    assertEquals(stdout.trim(), seenAs, transport);
  }
}

testIf(
  {
    name: "a container has an address of each family, and its environment has both",
    needs: needs6,
  },
  async () => {
    await using host = await PrivateHost.create();
    const { base } = await images();
    const before = await snapshot(host);
    const script = "ip -6 -o address show dev eth0 scope global; ip -6 route show default; " +
      "echo $HPK_IP6 $HPK_GATEWAY_IP6; grep c1 /etc/hosts; " +
      "ping -q -c 1 -W 5 10.96.0.1 >/dev/null && ping6 -q -c 1 -W 5 fd00:96::1 >/dev/null && echo reached";
    const { code, stdout, stderr } = await hpk(host, [
      ...["exec", ...DUAL, "--name", "c1", base, "sh", "-c", script],
    ]);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /inet6 fd00:96::2\/64 scope global/);
    assertMatch(stdout, /default via fd00:96::1 dev eth0/);
    assertMatch(stdout, /^fd00:96::2\/64 fd00:96::1$/m);
    assertMatch(stdout, /^fd00:96::2\tc1$/m);
    assertMatch(stdout, /^reached$/m);
    await eventuallySame(host, before, CALM);
  },
);

testIf({
  name: "everyone reaches everyone by IPv6: the outside sees the host, a pod sees the pod",
  needs: [...needs6, tunDevice],
}, async (t) => {
  await using internet = await Internet.create();
  await using host = await connectedHost(internet);
  const before = await snapshot(host);
  const a = await startPod(host, "a");
  const b = await startPod(host, "b", ["--datapath", "tap"]);
  await t.step("pod to pod", async () => {
    const server = { place: host, prefix: b.prefix, address: b.address6 };
    await assertSeenAs(server, { place: host, prefix: a.prefix }, a.address6);
  });
  await t.step("pod to outside", async () => {
    const server = { place: internet, prefix: [], address: OUTSIDE6 };
    await assertSeenAs(server, { place: host, prefix: a.prefix }, HOST6);
    await assertSeenAs(server, { place: host, prefix: b.prefix }, HOST6);
  });
  await t.step("host to pod, and a process in the instance knows its address", async () => {
    const server = { place: host, prefix: a.prefix, address: a.address6 };
    await assertSeenAs(server, { place: host, prefix: [] }, "fd00:96::1");
    const shown = await hpk(host, ["exec", "instance://b", "sh", "-c", "echo $HPK_IP6"]);
    assertEquals(shown.stdout, `${b.address6}/64\n`);
  });
  await t.step("the metadata service is closed", async () => {
    await internet.sh("ip -6 addr add fd00:ec2::254/128 dev lo nodad");
    const ping = [...a.prefix, "busybox", "ping6", "-q", "-c", "1", "-W", "2", "fd00:ec2::254"];
    const { code } = await host.run(ping[0]!, ping.slice(1), { check: false });
    assert(code !== 0);
    await host.run("busybox", ["ping6", "-q", "-c", "1", "-W", "5", "fd00:ec2::254"]);
  });
  await t.step("our rules are created once", async () => {
    const rules = (await host.run("ip6tables-save")).stdout;
    const masquerade = `-A HPK-POSTROUTING -s ${SUBNET6} ! -o hpk-bridge -j MASQUERADE`;
    assertEquals(rules.split("\n").filter((line) => line === masquerade).length, 1, rules);
  });
  await hpk(host, ["instance", "stop", "--all"], { check: true });
  await eventuallySame(host, before, CALM);
});

testIf({ name: "routes that a router announces outlive forwarding", needs: needs6 }, async () => {
  await using host = await PrivateHost.create();
  await host.sh(`
    ip link add up0 type veth peer name up1
    ip link set up0 up
    ip link set up1 up
    ip -6 route add default via fe80::1 dev up0 proto ra
  `);
  await linksReady(host, "up0", "up1");
  const before = await snapshot(host);
  const acceptRa = async () =>
    (await host.run("cat", ["/proc/sys/net/ipv6/conf/up0/accept_ra"])).stdout;
  assertEquals(await acceptRa(), "1\n");
  const { base } = await images();
  await hpk(host, ["instance", "start", ...DUAL, base, "a"], { check: true });
  assertEquals(await acceptRa(), "2\n");
  await hpk(host, ["instance", "stop", "a"], { check: true });
  await eventuallySame(host, before, CALM);
  assertEquals(await acceptRa(), "1\n");
});

testIf(
  { name: "an impossible IPv6 network is refused before anything is created", needs: needs6 },
  async () => {
    await using host = await PrivateHost.create();
    await host.sh(
      "ip link add other0 type bridge; ip -6 addr add fd00:96::5/64 dev other0 nodad; ip link set other0 up",
    );
    await linksReady(host, "other0");
    const before = await snapshot(host);
    const { base } = await images();
    const cases: [readonly string[], string][] = [
      [["--subnet6", SUBNET6], "it overlaps the host's route to fd00:96::/64 by other0"],
      [["--subnet6", "fe80::/64"], "its addresses are not for hosts"],
      [
        ["--subnet6", "fd00:97::/64", "--mtu", "1000"],
        "an MTU of 1000 bytes is too small for IPv6",
      ],
      [["--subnet6", "10.0.0.0/24"], "give an IPv6 network such as fd00:96::/64"],
    ];
    for (const [options, why] of cases) {
      const { code, stderr } = await hpk(host, [
        "exec",
        "--subnet",
        SUBNET,
        ...options,
        base,
        "true",
      ]);
      assertEquals(code, 125);
      assertStringIncludes(stderr, why);
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    }
    await eventuallySame(host, before);
  },
);

testIf({ name: "ports are published by IPv6 too, and policies hold", needs: needs6 }, async (t) => {
  await using internet = await Internet.create();
  await using host = await connectedHost(internet);
  const before = await snapshot(host);
  const publish = `7100:7007,7100:7007/udp,[${HOST6}]:7200-7201:7007-7008`;
  const web = await startPod(host, "web", ["--publish", publish]);
  const lone = await startPod(host, "lone", ["--isolated", "--no-masquerade", "--allow-imds"]);
  const alone = await startPod(host, "alone", ["--isolated"]);
  const server = { place: host, prefix: web.prefix };
  const echo = [Deno.execPath(), ...ECHO];
  await using serving = await host.spawn(web.prefix[0]!, [
    ...[...web.prefix.slice(1), ...echo],
    ...["serve", web.address6, "7007"],
  ]);
  await serving.waitFor(/ready/, { timeoutMs: 20_000 });
  const ask = async (
    { place, prefix }: { place: Place; prefix: readonly string[] },
    transport: string,
    address: string,
    port: string,
  ) => {
    const [command, ...args] = [...prefix, ...echo, "ask", transport, address, port];
    return (await place.run(command!, args, { timeoutMs: 20_000 })).stdout.trim();
  };
  const outside = { place: internet, prefix: [] };
  await t.step("from outside, which is seen as itself", async () => {
    for (const [transport, port] of [["tcp", "7100"], ["udp", "7100"], ["tcp", "7200"]] as const) {
      assertEquals(await ask(outside, transport, HOST6, port), "2001:db8:100::1", transport);
    }
  });
  await t.step("from the host, by its address; its loopback refuses at once", async () => {
    assertEquals(await ask({ place: host, prefix: [] }, "tcp", HOST6, "7100"), HOST6);
    const { stderr } = await host.run(echo[0]!, [...echo.slice(1), "ask", "tcp", "::1", "7100"], {
      check: false,
    });
    assertStringIncludes(stderr, "ConnectionRefused");
  });
  await t.step("from a container, itself too", async () => {
    assertEquals(
      await ask({ place: host, prefix: lone.prefix }, "tcp", HOST6, "7100"),
      "fd00:96::1",
    );
    assertEquals(await ask(server, "tcp", HOST6, "7100"), "fd00:96::1");
  });
  await t.step("isolated containers reach the others, and not each other", async () => {
    const ping = (pod: Pod, address: string) =>
      host.run(pod.prefix[0]!, [
        ...pod.prefix.slice(1),
        ...["busybox", "ping6", "-q", "-c", "1", "-W", "2", address],
      ], { check: false });
    assertEquals((await ping(lone, web.address6)).code, 0);
    assert((await ping(lone, alone.address6)).code !== 0);
  });
  await t.step("without masquerading, the outside sees the container", async () => {
    await internet.sh(`ip -6 route add ${SUBNET6} via ${HOST6}`);
    const there = { place: internet, prefix: [], address: OUTSIDE6 };
    await assertSeenAs(there, { place: host, prefix: lone.prefix }, lone.address6);
  });
  await t.step("a port is added and removed", async () => {
    await hpk(host, ["port", "add", "web", "[::]:7300:7007"], { check: true });
    assertEquals(await ask(outside, "tcp", HOST6, "7300"), "2001:db8:100::1");
    await hpk(host, ["port", "rm", "web", "[::]:7300"], { check: true });
    const rules = (await host.run("ip6tables-save")).stdout;
    assert(!rules.includes("7300"), rules);
  });
  await t.step("impossible addresses are refused", async () => {
    for (
      const [port, why] of [
        ["[::1]:7400:80", "the kernel does not forward from the IPv6 loopback"],
        ["[2001:db8::77]:7400:80", "no interface of the host has the address 2001:db8::77"],
      ] as const
    ) {
      const { code, stderr } = await hpk(host, ["port", "add", "web", port]);
      assertEquals(code, 125);
      assertStringIncludes(stderr, why);
    }
  });
  await serving[Symbol.asyncDispose]();
  await hpk(host, ["instance", "stop", "--all"], { check: true });
  await eventuallySame(host, before, CALM);
});
