/**
 * The shared part of a host after the last container:
 *
 *     [ host ] hpk-bridge, chains, name server, monitor ── stay for HPK_LINGER seconds ── the host as before
 *                  |
 *              container ── ends; the next one reuses the shared part
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  eventually,
  eventuallySame,
  images,
  PrivateHost,
  type Snapshot,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { endContainer, holdContainer, listed, ok } from "../harness/containers.ts";
import { hpk, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";
import { awaitService, killMonitor, monitorPids } from "../harness/processes.ts";

/** Longer than any test takes. */
const LONG = { HPK_LINGER: "600" };

interface Stage extends AsyncDisposable {
  readonly host: PrivateHost;
  readonly image: string;
  readonly before: Snapshot;
}

async function stage(): Promise<Stage> {
  const host = await PrivateHost.create();
  return {
    host,
    image: (await images()).base,
    before: await snapshot(host),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

/** A stage whose one container has ended and was released; the shared part stays. */
async function lingering(options: readonly string[] = ["--subnet", SUBNET]): Promise<Stage> {
  const made = await stage();
  const { host, image } = made;
  await ok(host, ["exec", ...options, image, "true"], LONG);
  await eventually(async () => (await listed(host)).length === 0, { what: "the release" });
  return made;
}

/** The state of the shared part: the bridge's index, the monitor, chains, and the name server. */
async function sharedPart(host: PrivateHost, bridge = "hpk-bridge"): Promise<string[]> {
  const { stdout } = await host.sh(
    `cat /sys/class/net/${bridge}/ifindex || true; iptables-save | grep -c HPK || true
     cat /run/hpktainer/dnsmasq.pid || true`,
  );
  return [...stdout.split("\n"), ...monitorPids(host).map(String)];
}

testIf(
  { name: "a start soon after the last container reuses the shared part", needs },
  async () => {
    await using made = await lingering();
    const { host, image } = made;
    await awaitService(host);
    const there = await sharedPart(host);
    assertMatch(there.join(" "), /^\d+ [1-9]\d* /);
    const file = await Deno.makeTempFile();
    const traced = { ...LONG, HPK_FAULT_TRACE: file };
    // The monitor's environment differs, so that this start attaches itself.
    await ok(host, ["exec", "--subnet", SUBNET, image, "true"], traced);
    assert(Deno.readTextFileSync(file).includes("start.running"));
    await Deno.remove(file);
    // The monitor attaches this one.
    const shown = await ok(host, ["exec", "--subnet", SUBNET, image, "hostname", "-i"], LONG);
    assertMatch(shown, /^10\.96\.0\.\d+/);
    await eventually(async () => (await listed(host)).length === 0, { what: "the release" });
    assertEquals(await sharedPart(host), there);
  },
);

testIf({
  name: "the shared part is removed in time, and doctor reports it until then",
  needs,
}, async () => {
  await using made = await stage();
  const { host, image, before } = made;
  const held = await holdContainer(host, image, ["--subnet", SUBNET], LONG);
  // The last start says how long.
  await ok(host, ["exec", "--subnet", SUBNET, image, "true"], { HPK_LINGER: "3" });
  await endContainer(held);
  const containers = async () => {
    const { checks } = JSON.parse(await ok(host, ["doctor", "--json"], { HPK_SUBNET: SUBNET }));
    return checks.find(({ id }: { id: string }) => id === "containers");
  };
  await eventually(async () => (await listed(host)).length === 0, { what: "the release" });
  assertMatch(
    (await containers()).found,
    /^0 alive; the bridge hpk-bridge stays for [123] s \(linger\)$/,
  );
  await eventuallySame(host, before, PATIENT);
  assertEquals((await containers()).found, "0 alive");
});

testIf({ name: "gc removes the shared part at once, and reports it", needs }, async () => {
  await using made = await lingering();
  const { host, before } = made;
  assertEquals(
    await ok(host, ["gc", "--dry-run"]),
    "would clean up the bridge hpk-bridge, which no container uses\n",
  );
  assertEquals(
    await ok(host, ["gc"]),
    "cleaned up the bridge hpk-bridge, which no container uses\n",
  );
  assertEquals(await ok(host, ["gc"]), "nothing to clean up\n");
  await eventuallySame(host, before, PATIENT);
});

testIf({ name: "with a linger of 0 nothing stays", needs }, async () => {
  await using made = await lingering();
  const { host, image, before } = made;
  await ok(host, ["exec", "--subnet", SUBNET, image, "true"], { HPK_LINGER: "0" });
  await eventuallySame(host, before, PATIENT);
});

testIf({ name: "instance stop does not wait for the shared part's end", needs }, async () => {
  await using made = await stage();
  const { host, image, before } = made;
  await ok(host, ["instance", "start", "--subnet", SUBNET, image, "web"], LONG);
  const there = await sharedPart(host);
  await ok(host, ["instance", "stop", "web"], LONG);
  assertEquals(await sharedPart(host), there);
  await ok(host, ["gc"]);
  await eventuallySame(host, before, PATIENT);
});

for (const by of ["gc", "the next start", "a start with another subnet"]) {
  testIf({ name: `a monitor that is killed meanwhile is replaced by ${by}`, needs }, async () => {
    await using made = await lingering();
    const { host, image, before } = made;
    const [bridge] = await sharedPart(host);
    await killMonitor(host);
    const { checks } = JSON.parse((await hpk(host, ["doctor", "--json"])).stdout);
    const { status, fix } = checks.find(({ id }: { id: string }) => id === "containers");
    assertEquals([status, fix], ["warn", "run 'hpktainer gc'"]);
    if (by === "gc") await ok(host, ["gc"]);
    else {
      const subnet = by === "the next start" ? SUBNET : "10.97.0.0/24";
      const held = await holdContainer(host, image, ["--subnet", subnet], { HPK_LINGER: "1" });
      assertEquals((await sharedPart(host))[0] === bridge, subnet === SUBNET);
      assertEquals(monitorPids(host).length, 1);
      await endContainer(held);
    }
    await eventuallySame(host, before, PATIENT);
  });
}

const OTHERS: Record<string, { readonly options: string[]; readonly env: Record<string, string> }> =
  {
    "subnet": { options: ["--subnet", "10.97.0.0/24"], env: {} },
    "bridge and subnet": { options: ["--subnet", "10.97.0.0/24"], env: { HPK_BRIDGE: "other" } },
    "bridge": { options: ["--subnet", SUBNET], env: { HPK_BRIDGE: "other" } },
    "IPv6 subnet": { options: ["--subnet", SUBNET, "--subnet6", "fd00:97::/64"], env: {} },
  };

for (const [what, { options, env }] of Object.entries(OTHERS)) {
  testIf(
    { name: `a start with another ${what} removes the lingering shared part`, needs },
    async () => {
      await using made = await lingering(["--subnet", SUBNET, "--subnet6", "fd00:96::/64"]);
      const { host, image, before } = made;
      await awaitService(host);
      const held = await holdContainer(host, image, options, { ...env, HPK_LINGER: "1" });
      const { stdout } = await host.sh("ip -o address; iptables-save; ip6tables-save");
      assertEquals(stdout.match(/fd00:96::/g), null);
      if (!options.includes(SUBNET)) assertEquals(stdout.match(/10\.96\.0\./g), null);
      if (env["HPK_BRIDGE"] !== undefined) assertEquals(stdout.match(/hpk-bridge/g), null);
      await endContainer(held);
      await eventuallySame(host, before, PATIENT);
    },
  );
}

testIf({ name: "what was removed from the shared part meanwhile is repaired", needs }, async () => {
  await using made = await lingering();
  const { host, image, before } = made;
  await host.sh(
    "ip link delete hpk-bridge; iptables -t nat -F; echo 0 > /proc/sys/net/ipv4/ip_forward",
  );
  const held = await holdContainer(host, image, ["--subnet", SUBNET], { HPK_LINGER: "1" });
  const { stdout } = await host.sh(
    "ip -4 -o address show dev hpk-bridge; iptables-save -t nat; cat /proc/sys/net/ipv4/ip_forward",
  );
  assertMatch(stdout, /10\.96\.0\.1\/24[^]*-A HPK-POSTROUTING -s 10\.96\.0\.0\/24[^]*\n1\n$/);
  await endContainer(held);
  await eventuallySame(host, before, PATIENT);
});

testIf({ name: "a failed start leaves the lingering shared part unchanged", needs }, async () => {
  await using made = await lingering();
  const { host, image } = made;
  const there = await sharedPart(host);
  const start = ["exec", "--subnet", SUBNET, image, "true"];
  await host.sh("mkdir /etc/broken; cd /etc/broken; cp /bin/false host-local");
  const broken = await hpk(host, start, { env: { ...LONG, CNI_PATH: "/etc/broken" } });
  assertEquals(broken.code, 125, broken.stderr);
  await ok(host, ["exec", "--subnet", SUBNET, image, "true"], LONG);
  await eventually(async () => (await listed(host)).length === 0, { what: "the release" });
  assertEquals(await sharedPart(host), there);
});

testIf(
  { name: "a shared part that outlived a reboot is reclaimed by a start", needs },
  async () => {
    await using made = await lingering();
    const { host, image, before } = made;
    await host.sh("cp -a /run/hpktainer /etc/kept");
    await host.reboot();
    await host.sh("cp -a /etc/kept /run/hpktainer && rm -r /etc/kept");
    await ok(host, ["exec", "--subnet", SUBNET, image, "true"], { HPK_LINGER: "1" });
    await eventuallySame(host, before, PATIENT);
  },
);
