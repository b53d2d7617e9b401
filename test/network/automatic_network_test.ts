/**
 * A host without a configured network:
 *
 *     [ host ] hpk-bridge 10.213.96.1/21 ── container, without any option
 *                eth1: something that uses the subnet, or Flannel that appears later
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventuallySame, images, PrivateHost, snapshot, testIf } from "../harness/mod.ts";
import { endContainer, holdContainer, ok } from "../harness/containers.ts";
import { hpk, needs, PATIENT } from "../harness/hpktainer.ts";

const FIRST = "10.213.96.0/21";
const SECOND = "10.67.96.0/21";

const SHOW = ["ip", "-4", "-o", "address", "show", "dev", "eth0"];

const SUBNET_ENV = `FLANNEL_NETWORK=10.244.0.0/16
FLANNEL_SUBNET=10.244.5.1/24
FLANNEL_MTU=1450
FLANNEL_IPMASQ=false
`;

/** Gives the host an interface with an address, or routes. */
const plug = (host: PrivateHost, ...commands: string[]) =>
  host.sh(["ip link add eth1 type bridge", "ip link set eth1 up", ...commands].join("\n"));

async function networkCheck(
  host: PrivateHost,
): Promise<{ status: string; found: string; fix: string }> {
  const { stdout } = await hpk(host, ["doctor", "--json"]);
  return JSON.parse(stdout).checks.find(({ id }: { id: string }) => id === "network");
}

const flannelComes = (host: PrivateHost) =>
  host.sh("mkdir -p /run/flannel && cat > /run/flannel/subnet.env", { stdin: SUBNET_ENV });

testIf(
  { name: "a container gets a network without options, and later the same one", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const before = await snapshot(host);
    assertMatch((await networkCheck(host)).found, /^static 10\.213\.96\.0\/21, .*the first subnet/);
    assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.213\.96\.\d+\/21/);
    await ok(host, ["gc"]);
    assertMatch(
      (await networkCheck(host)).found,
      /^static 10\.213\.96\.0\/21, .*\(as last time\)/,
    );
    await host.reboot();
    assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.213\.96\.\d+\/21/);
    assertEquals(
      (await host.sh("stat -c '%U %a' /var/lib/hpktainer/network.json && rm -r /var/lib/hpktainer"))
        .stdout,
      "root 644\n",
    );
    await eventuallySame(host, before, PATIENT);
  },
);

testIf({ name: "two first starts at once are on one network", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const shown = await Promise.all([1, 2, 3].map(() => ok(host, ["exec", base, ...SHOW])));
  for (const one of shown) assertMatch(one, /inet 10\.213\.96\.\d+\/21/);
});

const WAYS: Record<string, string[]> = {
  "an address": ["ip address add 10.213.97.9/24 dev eth1"],
  "a route": ["ip route add 10.213.0.0/16 dev eth1"],
  "a route of another table": ["ip route add 10.213.96.0/24 dev eth1 table 77"],
  "a route to nowhere": ["ip route add unreachable 10.213.100.0/24"],
};

for (const [what, commands] of Object.entries(WAYS)) {
  testIf({ name: `a subnet that ${what} overlaps is skipped`, needs }, async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    await plug(host, ...commands);
    const { stdout, stderr } = await hpk(host, ["exec", base, ...SHOW]);
    assertMatch(stdout, /inet 10\.67\.96\.\d+\/21/);
    // There was no earlier choice.
    assertEquals(stderr, "");
  });
}

testIf({ name: "the halves of a VPN's default route are not a conflict", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  await plug(host, "ip route add 0.0.0.0/1 dev eth1", "ip route add 128.0.0.0/1 dev eth1");
  assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.213\.96\.\d+\/21/);
});

testIf({
  name: "a remembered subnet that is taken by now is replaced, with a notice",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  await ok(host, ["exec", base, "true"], { HPK_LINGER: "600" });
  await plug(host, "ip address add 10.213.97.9/24 dev eth1");
  const { stdout, stderr } = await hpk(host, ["exec", base, ...SHOW]);
  assertMatch(stdout, /inet 10\.67\.96\.\d+\/21/);
  assertEquals(
    stderr,
    `hpktainer: containers are on ${SECOND} from now on: ${FIRST} overlaps eth1 (10.213.97.9/24)\n`,
  );
  // The new one is remembered, also when the old one is free again.
  await host.sh("ip link delete eth1");
  const again = await hpk(host, ["exec", base, ...SHOW]);
  assertMatch(again.stdout, /inet 10\.67\.96\.\d+\/21/);
  assertEquals(again.stderr, "");
});

testIf(
  { name: "a conflict while containers run is reported, with what to do", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const held = await holdContainer(host, base, []);
    await plug(host, "ip address add 10.213.97.9/24 dev eth1");
    const { code, stderr } = await hpk(host, ["exec", base, "true"]);
    assertEquals([code, stderr], [
      125,
      `hpktainer: cannot use subnet ${FIRST}: it overlaps eth1 (10.213.97.9/24); ` +
      "stop the containers on it (hpktainer ps), and the next start chooses another\n",
    ]);
    const check = await networkCheck(host);
    assertEquals(check.status, "fail");
    assertStringIncludes(check.found, "it overlaps eth1 (10.213.97.9/24)");
    await endContainer(held);
    assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.67\.96\.\d+\/21/);
  },
);

testIf({ name: "if no subnet is free, the error says so and --subnet helps", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  await plug(
    host,
    ...["10.213", "10.67", "172.29", "192.168"].map((prefix) =>
      `ip route add ${prefix}.0.0/16 dev eth1`
    ),
  );
  const { code, stderr } = await hpk(host, ["exec", base, "true"]);
  assertEquals(code, 125);
  assertMatch(
    stderr,
    /^hpktainer: cannot choose a subnet for containers: 10\.213\.96\.0\/21 overlaps the route to 10\.213\.0\.0\/16 by eth1, .*; name one .*--subnet CIDR\n$/,
  );
  await ok(host, ["exec", "--subnet", "10.50.0.0/24", base, "true"]);
});

testIf(
  { name: "a start without a subnet joins containers that were given one", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const held = await holdContainer(host, base, ["--subnet", "10.50.0.0/24"]);
    assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.50\.0\.\d+\/24/);
    await endContainer(held);
    // The user chose it, so it is not remembered.
    assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.213\.96\.\d+\/21/);
  },
);

testIf(
  { name: "Flannel that appears later is used once no container is left", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    // A lingering shared part is not a reason to keep its network.
    const held = await holdContainer(host, base, [], { HPK_LINGER: "600" });
    await flannelComes(host);
    assertMatch(
      await ok(host, ["exec", base, ...SHOW], { HPK_LINGER: "600" }),
      /inet 10\.213\.96\./,
    );
    const check = await networkCheck(host);
    assertEquals([check.status, /containers use it\); Flannel/.test(check.found)], [
      "warn",
      true,
    ]);
    assertStringIncludes(check.fix, "stop the containers");
    await endContainer(held);
    assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.244\.5\.\d+\/24/);
    assertMatch((await networkCheck(host)).found, /^flannel 10\.244\.5\.0\/24.*subnet\.env exists/);
    // A configured subnet takes precedence, as always.
    assertMatch(
      await ok(host, ["exec", "--subnet", "10.50.0.0/24", base, ...SHOW]),
      /inet 10\.50\.0\.\d+\/24/,
    );
  },
);

testIf({ name: "another subnet of Flannel while the shared part lingers", needs }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  await flannelComes(host);
  await ok(host, ["exec", base, "true"], { HPK_LINGER: "600" });
  await host.sh("sed -i 's/10.244.5.1/10.244.6.1/' /run/flannel/subnet.env");
  assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.244\.6\.\d+\/24/);
});

testIf({
  name: "a start waits for root's flanneld without a lease only if --wait says so",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  await host.sh("mkdir /run/bin && cp /bin/sleep /run/bin/flanneld");
  // Another user's flanneld does not count.
  await using foreign = await host.spawn("setpriv", [
    ...["--reuid", "65534", "--clear-groups", "/run/bin/flanneld", "600"],
  ]);
  assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.213\.96\./);
  foreign.signal("SIGKILL");
  await ok(host, ["gc"]);
  await using _flanneld = await host.spawn("/run/bin/flanneld", ["600"]);
  const { code, stderr } = await hpk(host, ["exec", base, "true"]);
  assertEquals(code, 125);
  assertMatch(
    stderr,
    /flanneld runs, and has not written \/run\/flannel\/subnet\.env yet; .*--wait/,
  );
  const waiting = ok(host, ["exec", "--wait", "60", base, ...SHOW]);
  await flannelComes(host);
  assertMatch(await waiting, /inet 10\.244\.5\.\d+\/24/);
});

testIf(
  { name: "a remembered network that someone else may have written does not count", needs },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    await host.sh(`mkdir -p /var/lib/hpktainer && cd /var/lib/hpktainer
    echo '{"version":1,"subnet":"10.9.0.0/16"}' > network.json && chmod 666 network.json`);
    assertMatch(await ok(host, ["exec", base, ...SHOW]), /inet 10\.213\.96\.\d+\/21/);
  },
);
