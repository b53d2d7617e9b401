/**
 * What a container sees of its network, and who reaches whom.
 *
 *   outside 203.0.113.10
 *        |
 *   internet 198.51.100.1 ── eth0 198.51.100.11 [ host ] hpk-bridge 10.96.0.1
 *                                                            |        |
 *                                                       container  container
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  eventuallySame,
  images,
  Internet,
  type Place,
  PrivateHost,
  type RunResult,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk, needs, SUBNET } from "../harness/hpktainer.ts";

const GATEWAY = "10.96.0.1";
const STATIC = ["--subnet", SUBNET];

function lines(result: RunResult): string[] {
  assertEquals(result.code, 0, result.stderr);
  return result.stdout.trimEnd().split("\n").map((line) => line.trim());
}

/** A host with an uplink. */
async function connectedHost(internet: Internet, mtu = 1500): Promise<PrivateHost> {
  const host = await PrivateHost.create();
  await internet.attach(host, { address: "198.51.100.11/24", mtu });
  return host;
}

/** Writes flanneld's subnet file. */
async function writeSubnetEnv(host: Place, text: string): Promise<void> {
  await host.sh("mkdir -p /run/flannel && cat > /run/flannel/subnet.env", { stdin: text });
}

const FLANNEL = (ipMasq: boolean) =>
  `FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.5.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=${ipMasq}\n`;

testIf({ name: "any image gets its network", needs }, async (t) => {
  await using internet = await Internet.create();
  await using host = await connectedHost(internet, 1400);
  await host.sh(
    "printf 'search example.test\\nnameserver 127.0.0.53\\nnameserver 192.0.2.53\\n' > /etc/resolv.conf",
  );
  await host.sh("echo '192.0.2.9 storage' >> /etc/hosts");
  const before = await snapshot(host);
  for (const [kind, image] of Object.entries(await images())) {
    await t.step(kind, async () => {
      const exec = (...command: string[]) =>
        hpk(host, ["exec", ...STATIC, "--name", "web_1", image, "/bin/busybox", ...command]);
      assertEquals(lines(await exec("hostname")), ["web-1"]);
      const applets = ["ip -4 -o address", "ip -4 route", "cat /sys/class/net/eth0/mtu"];
      const script = applets.map((applet) => `/bin/busybox ${applet}`).join("; ");
      const seen = lines(await exec("sh", "-c", script));
      const address = /inet (10\.96\.0\.[0-9]+)\/24 brd 10\.96\.0\.255/.exec(seen.join("\n"))?.[1];
      assert(address !== undefined, seen.join("\n"));
      assertMatch(seen.join("\n"), /lo\s+inet 127\.0\.0\.1\/8/);
      assert(seen.includes(`default via ${GATEWAY} dev eth0`), seen.join("\n"));
      assertEquals(seen.at(-1), "1400");
      const files = (await exec("cat", "/etc/resolv.conf", "/etc/hosts")).stdout;
      assertStringIncludes(files, `search hpk example.test\nnameserver ${GATEWAY}\n`);
      assert(!files.includes("127.0.0.53"), files);
      assertMatch(files, /10\.96\.0\.[0-9]+\tweb-1 web_1\n/);
      assertStringIncludes(files, "192.0.2.9\tstorage\n");
      assertEquals((await exec("ping", "-c", "1", "-W", "2", GATEWAY)).code, 0);
    });
  }
  await eventuallySame(host, before);
});

testIf(
  { name: "the container learns its address from its environment", needs },
  async () => {
    await using host = await PrivateHost.create();
    const { base } = await images();
    const script = "echo $HPK_IP $HPK_GATEWAY_IP; ip -4 -o address show eth0";
    const seen = lines(
      await hpk(host, [
        "exec",
        "--cleanenv",
        ...STATIC,
        "--ip",
        "10.96.0.77",
        base,
        "sh",
        "-c",
        script,
      ], {
        env: { HPK_IP: "the host's own" },
      }),
    );
    assertEquals(seen[0], `10.96.0.77/24 ${GATEWAY}`);
    assertStringIncludes(seen[1] ?? "", "inet 10.96.0.77/24");
  },
);

testIf({ name: "options set MTU, DNS, name and address", needs }, async () => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  const script =
    "cat /sys/class/net/eth0/mtu /etc/resolv.conf; hostname; ip -4 -o address show eth0";
  const seen = lines(
    await hpk(host, [
      ...["--mtu", "1300", "exec", "--dns", "192.0.2.1", "--dns=192.0.2.2", "--name", "web"],
      ...["--ip", "10.96.0.9", ...STATIC, base, "sh", "-c", script],
    ]),
  );
  assertEquals(seen.slice(0, 4), ["1300", "nameserver 192.0.2.1", "nameserver 192.0.2.2", "web"]);
  assertStringIncludes(seen[4] ?? "", "10.96.0.9/24");
});

testIf({ name: "the user's hostname and binds win", needs }, async () => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  await host.sh("echo 192.0.2.7 mine > /run/own-hosts");
  const seen = lines(
    await hpk(host, [
      ...["exec", ...STATIC, "--hostname", "chosen", "-B", "/run/own-hosts:/etc/hosts", base],
      ...["sh", "-c", "hostname; cat /etc/hosts"],
    ]),
  );
  assertEquals(seen, ["chosen", "192.0.2.7 mine"]);
});

const ECHO = [
  "run",
  "-A",
  "--unstable-net",
  new URL("../harness/echo.ts", import.meta.url).pathname,
];
const ECHO_PORT = "7007";

/** The network namespace of a container, as its host names it. */
async function namespaceOf(host: Place, name: string): Promise<string> {
  const shown = await hpk(host, ["show", name, "--json"], { check: true });
  return JSON.parse(shown.stdout).container.namespace;
}

testIf({ name: "everyone reaches everyone by TCP, UDP and ICMP", needs }, async (t) => {
  await using internet = await Internet.create();
  await using host = await connectedHost(internet);
  const before = await snapshot(host);
  const { base } = await images();
  const addresses = { a: "10.96.0.10", b: "10.96.0.11" };
  for (const [name, ip] of Object.entries(addresses)) {
    await hpk(host, ["instance", "start", ...STATIC, "--ip", ip, base, name], { check: true });
  }
  // The outside has a route to the pods, as in a routed network.
  await internet.run("ip", ["route", "add", SUBNET, "via", "198.51.100.11"]);
  const inPod = async (name: string) => ["ip", "netns", "exec", await namespaceOf(host, name)];
  const places: Record<string, { place: Place; prefix: string[]; address: string }> = {
    a: { place: host, prefix: await inPod("a"), address: addresses.a },
    b: { place: host, prefix: await inPod("b"), address: addresses.b },
    host: { place: host, prefix: [], address: GATEWAY },
    outside: { place: internet, prefix: [], address: internet.outside },
  };
  const deno = ({ place, prefix }: { place: Place; prefix: string[] }, args: string[]) => {
    const [command, ...rest] = [...prefix, Deno.execPath(), ...ECHO, ...args];
    return { place, command: command!, rest };
  };
  const cases = [
    { from: "a", to: "b", seenAs: addresses.a },
    { from: "a", to: "host", seenAs: addresses.a },
    { from: "host", to: "a", seenAs: GATEWAY },
    { from: "a", to: "outside", seenAs: "198.51.100.11" },
    { from: "outside", to: "a", seenAs: internet.gateway },
  ];
  for (const { from, to, seenAs } of cases) {
    const server = deno(places[to]!, ["serve", places[to]!.address, ECHO_PORT]);
    await using serving = await server.place.spawn(server.command, server.rest);
    await serving.waitFor(/ready/);
    for (const transport of ["tcp", "udp"]) {
      await t.step(`${from} to ${to} by ${transport}, seen as ${seenAs}`, async () => {
        const client = deno(places[from]!, ["ask", transport, places[to]!.address, ECHO_PORT]);
        const { stdout } = await client.place.run(client.command, client.rest, {
          timeoutMs: 10_000,
        });
        assertEquals(stdout.trim(), seenAs);
      });
    }
    await t.step(`${from} to ${to} by ICMP`, async () => {
      const { place, prefix } = places[from]!;
      await place.sh(`${prefix.join(" ")} busybox ping -q -c 1 -W 2 ${places[to]!.address}`);
    });
  }
  await t.step("a process inside the container reaches the outside", async () => {
    const exec = ["exec", "instance://a", "ping", "-q", "-c", "1", "-W", "2", internet.outside];
    assertEquals((await hpk(host, exec)).code, 0);
  });
  await hpk(host, ["instance", "stop", "--all"], { check: true });
  await eventuallySame(host, before);
});

testIf(
  { name: "traffic is forwarded though the policy of FORWARD is DROP", needs },
  async () => {
    await using internet = await Internet.create();
    await using host = await connectedHost(internet);
    await host.sh(
      "iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER",
    );
    const rules = (await host.run("iptables-save")).stdout.replaceAll(/^#.*$/gm, "");
    const { base } = await images();
    const ping = ["ping", "-q", "-c", "1", "-W", "2", internet.outside];
    assertEquals((await hpk(host, ["exec", ...STATIC, base, ...ping])).code, 0);
    await hpk(host, ["gc"], { check: true });
    const after = (await host.run("iptables-save")).stdout;
    for (const rule of rules.split("\n").filter((line) => line.startsWith("-A"))) {
      assertStringIncludes(after, rule);
    }
    assertMatch(after, /^:FORWARD DROP/m);
    assert(!after.includes("HPK-"), after);
  },
);

testIf(
  { name: "the packet filter is the same after a second start", needs },
  async () => {
    await using host = await PrivateHost.create();
    const { base } = await images();
    const rules = async () =>
      (await host.run("iptables-save")).stdout.replaceAll(/^#.*$|\[[0-9:]+\]/gm, "");
    const start = (name: string) =>
      hpk(host, ["instance", "start", ...STATIC, base, name], { check: true });
    await start("a");
    const first = await rules();
    await start("b");
    assertEquals(await rules(), first);
    for (
      const rule of [
        "-A POSTROUTING -j HPK-POSTROUTING",
        `-A HPK-POSTROUTING -s ${SUBNET} -d ${SUBNET} -j RETURN`,
        `-A HPK-POSTROUTING -s ${SUBNET} ! -o hpk-bridge -j MASQUERADE`,
        "-A HPK-FORWARD -o hpk-bridge -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
      ]
    ) assertEquals(first.split("\n").filter((line) => line === rule).length, 1, rule);
  },
);

for (const ipMasq of [true, false]) {
  testIf(
    { name: `Flannel's subnet is used, FLANNEL_IPMASQ=${ipMasq}`, needs },
    async () => {
      await using internet = await Internet.create();
      await using host = await connectedHost(internet);
      await writeSubnetEnv(host, FLANNEL(ipMasq));
      const { base } = await images();
      await hpk(host, ["instance", "start", base, "pod"], { check: true });
      const script =
        "ip -4 -o address show eth0; ip route; cat /sys/class/net/eth0/mtu; echo $HPK_GATEWAY_IP";
      const seen =
        (await hpk(host, ["exec", "instance://pod", "sh", "-c", script], { check: true })).stdout;
      assertMatch(seen, /inet 10\.244\.5\.[0-9]+\/24/);
      assertMatch(seen, /default via 10\.244\.5\.1 /);
      assertMatch(seen, /\n1450\n10\.244\.5\.1\n$/);
      const rules = (await host.run("iptables-save")).stdout;
      // flanneld masquerades itself if this is true.
      assertEquals(rules.includes("MASQUERADE"), !ipMasq, rules);
      if (!ipMasq) {
        assertStringIncludes(
          rules,
          "-A HPK-POSTROUTING -s 10.244.5.0/24 -d 10.244.0.0/16 -j RETURN",
        );
      }
      await hpk(host, ["instance", "stop", "pod"], { check: true });
    },
  );
}

testIf({ name: "a host without a default route works", needs }, async () => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  const ping = ["ping", "-q", "-c", "1", "-W", "2", GATEWAY];
  assertEquals((await hpk(host, ["exec", ...STATIC, base, ...ping])).code, 0);
});

testIf(
  { name: "the named uplink is the one with masquerading", needs },
  async () => {
    await using internet = await Internet.create();
    await using host = await PrivateHost.create();
    await internet.attach(host, { address: "198.51.100.11/24", ifName: "eth0", mtu: 1400 });
    await internet.attach(host, {
      address: "198.51.100.12/24",
      ifName: "eth1",
      defaultRoute: false,
    });
    const { base } = await images();
    const run = ["instance", "start", "--uplink", "eth1", ...STATIC, base, "pod"];
    await hpk(host, run, { check: true });
    const rules = (await host.run("iptables-save")).stdout;
    assertStringIncludes(rules, `-A HPK-POSTROUTING -s ${SUBNET} -o eth1 -j MASQUERADE`);
    const mtu = await hpk(host, ["exec", "instance://pod", "cat", "/sys/class/net/eth0/mtu"]);
    assertEquals(mtu.stdout, "1500\n");
  },
);

testIf({ name: "the networks 'host' and 'none' create nothing", needs }, async () => {
  await using host = await PrivateHost.create();
  await host.sh("ip link add probe0 type veth peer name probe1");
  const before = await snapshot(host);
  const { base } = await images();
  const list = ["sh", "-c", "ip -o link | cut -d: -f2 | tr -d ' ' | cut -d@ -f1"];
  const inHost = await hpk(host, ["exec", "--network", "host", base, ...list], { check: true });
  const inNone = await hpk(host, ["--network=none", "exec", base, ...list], { check: true });
  assertEquals(inHost.stdout.trim().split("\n").sort(), ["lo", "probe0", "probe1"]);
  assertEquals(inNone.stdout.trim(), "lo");
  await eventuallySame(host, before);
});

testIf(
  { name: "an existing bridge stays, down and without our address", needs },
  async () => {
    await using host = await PrivateHost.create();
    await host.sh("ip link add hpk-bridge address 02:00:00:00:00:01 type bridge");
    const { base } = await images();
    const ping = ["ping", "-q", "-c", "1", "-W", "2", GATEWAY];
    assertEquals((await hpk(host, ["exec", ...STATIC, base, ...ping])).code, 0);
    await hpk(host, ["gc"], { check: true });
    const shown = await host.run("ip", ["-json", "address", "show", "dev", "hpk-bridge"]);
    const [{ flags, address, addr_info }] = JSON.parse(shown.stdout);
    assertEquals([flags.includes("UP"), address, addr_info], [false, "02:00:00:00:00:01", []]);
  },
);
