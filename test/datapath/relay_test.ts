/**
 * hpktainer with the datapaths that need the daemon:
 *
 *     host: hpk-bridge 10.96.0.1 ── TAP ── hpk-net-daemon ─┬─ eth0 of a container          (tap)
 *                                                          └─ socket ─ hpk-net-daemon ─ tap0 (relay)
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  apptainer,
  eventually,
  eventuallySame,
  hostLocal,
  images,
  Internet,
  iptables,
  PrivateHost,
  program,
  type RunResult,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { HPKTAINER } from "../harness/hpktainer.ts";
import { buildBaseImage } from "../relay/_base_image.ts";
import { needs as relayNeeds } from "../relay/_daemon.ts";

const SUBNET = ["--subnet", "10.96.0.0/24"];
const needs = [...relayNeeds, apptainer, hostLocal, iptables, program("setsid"), program("ldd")];

function hpk(host: PrivateHost, ...args: string[]): Promise<RunResult> {
  return host.run(HPKTAINER, args, { check: false });
}

async function connectedHost(internet: Internet): Promise<PrivateHost> {
  const host = await PrivateHost.create();
  await internet.attach(host, { address: "198.51.100.11/24", mtu: 1400 });
  // The kernel adds it slightly later, so a snapshot could miss it.
  await eventually(
    async () =>
      (await host.run("ip", ["-6", "route", "show", "table", "all"])).stdout
        .includes("local fe80:"),
    { what: "the uplink's own IPv6 address" },
  );
  return host;
}

testIf(
  { name: "--datapath tap: any image gets a network, and nothing is left behind", needs },
  async () => {
    await using internet = await Internet.create();
    await using host = await connectedHost(internet);
    const before = await snapshot(host);
    const { base } = await images();
    const script =
      "ip -4 -o address; cat /sys/class/net/eth0/mtu; ping -c 1 -W 2 10.96.0.1; exit 7";
    const { code, stdout, stderr } = await hpk(
      host,
      "exec",
      ...SUBNET,
      "--datapath",
      "tap",
      base,
      "sh",
      "-c",
      script,
    );
    assertEquals(code, 7, stderr);
    assertEquals(stderr, "");
    assertMatch(stdout, /eth0 +inet 10\.96\.0\.[0-9]+\/24/);
    assertMatch(stdout, /^1400$/m);
    assertMatch(stdout, /1 packets received/);
    await eventuallySame(host, before);
  },
);

testIf(
  { name: "--datapath tap: containers of both kinds reach each other and the outside", needs },
  async () => {
    await using internet = await Internet.create();
    await using host = await connectedHost(internet);
    const before = await snapshot(host);
    const { base } = await images();
    const start = async (name: string, datapath: string) => {
      const { code, stderr } = await hpk(
        host,
        "instance",
        "start",
        ...SUBNET,
        "--datapath",
        datapath,
        base,
        name,
      );
      assertEquals(code, 0, stderr);
      const { stdout } = await hpk(host, "show", name, "--json");
      const { container } = JSON.parse(stdout);
      assertEquals(container.datapath, datapath);
      return container.address as string;
    };
    const addresses = [
      await start("one", "tap"),
      await start("two", "tap"),
      await start("three", "veth"),
    ];
    for (const name of ["one", "two", "three"]) {
      for (const address of [...addresses, internet.outside]) {
        const ping = ["/bin/busybox", "ping", "-c1", "-W2", address];
        const { code, stderr } = await hpk(host, "exec", `instance://${name}`, ...ping);
        assertEquals(code, 0, `${name} to ${address}: ${stderr}`);
      }
    }
    // A killed daemon is restarted, and resumes its sessions.
    await host.sh("kill -9 $(busybox pidof hpk-net-daemon)");
    await eventually(async () => {
      const ping = ["/bin/busybox", "ping", "-c1", "-W1", "10.96.0.1"];
      return (await hpk(host, "exec", "instance://one", ...ping)).code === 0;
    }, { what: "the container is reached again", timeoutMs: 10_000 });
    assertEquals((await hpk(host, "instance", "stop", "--all")).code, 0);
    await eventuallySame(host, before);
  },
);

for (const recipe of ["hpktainer-base.def", "Dockerfile"] as const) {
  testIf({
    name:
      `--datapath relay: the base image of ${recipe} creates its own interface over its own socket`,
    needs: recipe === "Dockerfile" ? [...needs, program("buildah")] : needs,
  }, async () => {
    await using base = await buildBaseImage(recipe);
    await using internet = await Internet.create();
    await using host = await connectedHost(internet);
    const before = await snapshot(host);
    const script =
      "ip -4 -o address; ip route; cat /sys/class/net/tap0/mtu; ping -c 1 -W 2 10.96.0.1; " +
      `ping -c 1 -W 2 ${internet.outside}; echo "$HPK_SOCKET_PATH"; ls /run/hpktainer/net/links; exit 7`;
    const { code, stdout, stderr } = await hpk(
      host,
      "run",
      ...SUBNET,
      "--datapath",
      "relay",
      base.path,
      "sh",
      "-c",
      script,
    );
    assertEquals(code, 7, stderr);
    assertEquals(stderr, "");
    assertMatch(stdout, /tap0 +inet 10\.96\.0\.[0-9]+\/24/);
    assertStringIncludes(stdout, "default via 10.96.0.1 dev tap0");
    assertMatch(stdout, /^1400$/m);
    assertEquals(stdout.match(/1 packets received/g)?.length, 2, stdout);
    const id = /^\/run\/hpktainer\/net\/links\/([0-9a-f]{12})\/relay\.sock$/m.exec(stdout)?.[1];
    assert(id !== undefined, stdout);
    assertMatch(stdout, new RegExp(`^${id}\n$`, "m"));
    await eventuallySame(host, before);
    await eventually(
      async () => !(await host.run("ps", ["-A", "-o", "args"])).stdout.includes("hpk-net-daemon"),
      {
        what: "no daemon is left",
      },
    );
  });
}

testIf({ name: "the base image explains how to start it", needs }, async () => {
  await using base = await buildBaseImage();
  await using host = await PrivateHost.create();
  const { code, stderr } = await hpk(host, "run", "--network", "none", base.path, "true");
  assertEquals(code, 125, stderr);
  assertMatch(
    stderr,
    /HPK_SOCKET_PATH is not set: start this image with 'hpktainer run --datapath relay'/,
  );
});
