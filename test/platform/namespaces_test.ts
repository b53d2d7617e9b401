/**
 * What the product relies on in the kernel's network namespaces and in iproute2:
 *
 *     host ── v0 ═══ veth pair ═══ v1 ── named namespace "pod"
 */
import { assert, assertEquals } from "@std/assert";
import { busybox, eventually, PrivateHost, privateHosts, testIf } from "../harness/mod.ts";

const needs = [...privateHosts, busybox];

async function linkNames(host: PrivateHost): Promise<string[]> {
  const { stdout } = await host.run("ip", ["-j", "link"]);
  return JSON.parse(stdout).map((link: { ifname: string }) => link.ifname);
}

testIf({
  name: "one ip -batch makes a namespace, a pair with one end in it, and its addresses",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  await host.run("ip", ["-batch", "-"], {
    stdin: [
      "netns add pod",
      "link add v0 type veth peer name v1 address 02:00:0a:60:00:02 mtu 1400 netns pod",
      "addr add 10.96.0.1/24 dev v0",
      "link set v0 up",
    ].join("\n"),
  });
  await host.run("ip", ["-n", "pod", "-batch", "-"], {
    stdin: "addr add 10.96.0.2/24 dev v1\nlink set v1 up\nlink set lo up",
  });
  const { stdout } = await host.run("ip", ["-n", "pod", "-j", "link", "show", "v1"]);
  const [link] = JSON.parse(stdout);
  assertEquals([link.address, link.mtu], ["02:00:0a:60:00:02", 1400]);
  await host.run("busybox", ["ping", "-c1", "-W2", "10.96.0.2"]);
});

testIf({ name: "a failed line ends ip -batch, and what came before it stays", needs }, async () => {
  await using host = await PrivateHost.create();
  const { code, stderr } = await host.run("ip", ["-batch", "-"], {
    stdin: "netns add pod\nlink set nosuch up\nnetns add later",
    check: false,
  });
  assertEquals(code, 1);
  assert(stderr.includes("Command failed -:2"), stderr);
  assertEquals((await host.run("ip", ["netns"])).stdout, "pod\n");
});

testIf({ name: "a veth end vanishes with the namespace of its peer", needs }, async () => {
  await using host = await PrivateHost.create();
  await host.sh("ip netns add pod; ip link add v0 type veth peer name v1 netns pod");
  assertEquals(await linkNames(host), ["lo", "v0"]);
  await host.run("ip", ["netns", "del", "pod"]);
  // The kernel takes a namespace down later, in a worker.
  await eventually(async () => !(await linkNames(host)).includes("v0"), { what: "end of v0" });
});

testIf(
  { name: "a namespace without its name lives as long as a process in it", needs },
  async () => {
    await using host = await PrivateHost.create();
    await host.sh("ip netns add pod; ip link add v0 type veth peer name v1 netns pod");
    await using process = await host.spawn("ip", ["netns", "exec", "pod", "sleep", "60"]);
    await eventually(
      async () => (await host.run("ip", ["netns", "pids", "pod"])).stdout !== "",
      { what: "process in the namespace" },
    );
    await host.run("ip", ["netns", "del", "pod"]);
    assertEquals((await host.run("ip", ["netns"])).stdout, "");
    assertEquals(await linkNames(host), ["lo", "v0"]);
    process.signal("SIGTERM");
    await process.wait();
    await eventually(async () => !(await linkNames(host)).includes("v0"), { what: "end of v0" });
  },
);

testIf(
  { name: "a named namespace remembers the sysctls written in it, not in the host", needs },
  async () => {
    await using host = await PrivateHost.create();
    await host.sh(
      "ip netns add pod; ip netns exec pod sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'",
    );
    const read =
      "cat /proc/sys/net/ipv4/ip_forward; ip netns exec pod cat /proc/sys/net/ipv4/ip_forward";
    assertEquals((await host.sh(read)).stdout, "0\n1\n");
  },
);

const LINKS = import.meta.resolve("../../packages/core/src/os/links.ts");

/** Runs removeLinks() in a host. @return The errors, by the name of the link. */
async function removeLinksIn(
  host: PrivateHost,
  names: readonly string[],
): Promise<Record<string, string>> {
  const script = `import { removeLinks } from "${LINKS}";
    const errors = removeLinks(${JSON.stringify(names)});
    console.log(JSON.stringify(Object.fromEntries(
      [...errors].map(([name, { message }]) => [name, message]),
    )));`;
  return JSON.parse((await host.run(Deno.execPath(), ["eval", "--no-config", script])).stdout);
}

testIf({ name: "removeLinks() deletes many links at once, and no others", needs }, async () => {
  await using host = await PrivateHost.create();
  const mine = Array.from({ length: 300 }, (_, index) => `hpk${index}`);
  await host.sh(
    [...mine, "other"].map((name) => `ip link add ${name} type veth peer name p${name}`).join("\n"),
  );
  assertEquals(await removeLinksIn(host, [...mine, "nosuch"]), {});
  assertEquals(await linkNames(host), ["lo", "pother", "other"]);
});

testIf({ name: "removeLinks() deletes the rest where one cannot be deleted", needs }, async () => {
  await using host = await PrivateHost.create();
  await host.sh("ip link add hpk1 type veth peer name p1");
  const errors = await removeLinksIn(host, ["lo", "hpk1"]);
  assertEquals(Object.keys(errors), ["lo"]);
  assertEquals(await linkNames(host), ["lo"]);
  assertEquals(await removeLinksIn(host, ["hpk1"]), {});
});
