/**
 * Defects 8 to 12 of the original: sockets, links and frames.
 *
 *   [ host ] flannel.1 10.244.5.0/32   hpk-bridge 10.244.5.1 ── container, container
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { images, PrivateHost, testIf } from "../harness/mod.ts";
import { endContainer, holdContainer, listed, ok } from "../harness/containers.ts";
import { hpk, needs, SUBNET } from "../harness/hpktainer.ts";
import { killMonitor } from "../harness/processes.ts";

testIf({
  name: "defect 8: a container gets two files of its own, and nothing of others",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  await using other = await holdContainer(host, base);
  const script = "cat /proc/self/mountinfo; ls /run /var/run 2>/dev/null; find / -xdev -type s";
  const seen = await ok(host, [
    "exec",
    "--containall",
    "--subnet",
    SUBNET,
    base,
    "sh",
    "-c",
    script,
  ]);
  const [first] = await listed(host);
  const ours = seen.split("\n").filter((line) => line.includes("/hpktainer/"));
  assertEquals(ours.map((line) => line.split(" ")[4]).sort(), ["/etc/hosts", "/etc/resolv.conf"]);
  assert(!seen.includes(first!.namespace.slice("hpk-".length)), seen);
  assert(!/^\/.*(sock|\.s)$/m.test(seen), seen);
  await endContainer(other);
});

testIf({
  name: "defect 9: addresses that differ beyond the last octet have separate links",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  const options = (ip: string) => ["--subnet", "10.96.0.0/16", "--ip", ip];
  await using a = await holdContainer(host, base, options("10.96.1.5"));
  await using b = await holdContainer(host, base, options("10.96.2.5"));
  const { stdout } = await host.run("ip", ["-json", "link", "show", "master", "hpk-bridge"]);
  assertEquals(JSON.parse(stdout).length, 2);
  const ping = ["ping", "-q", "-c", "1", "-W", "2", "10.96.2.5"];
  assertEquals((await hpk(host, ["exec", ...options("10.96.3.5"), base, ...ping])).code, 0);
  await endContainer(a);
  await endContainer(b);
});

testIf({ name: "defect 10: frames do not pass through a process of ours", needs }, async () => {
  await using host = await PrivateHost.create();
  const { base } = await images();
  await using held = await holdContainer(host, base);
  await killMonitor(host);
  await held.write("ping -q -c 2 -W 2 10.96.0.1 && echo reached\n");
  await held.waitFor(/^reached$/m, { stream: "stdout", timeoutMs: 10_000 });
  await endContainer(held);
  await ok(host, ["gc"]);
});

/** A host where flanneld has made its VXLAN device and its subnet file. */
async function flannelHost(): Promise<PrivateHost> {
  const host = await PrivateHost.create();
  await host.sh(`
ip link add uplink0 type veth peer name uplink1
ip address add 198.51.100.11/24 dev uplink0
ip link set uplink0 up
ip link add flannel.1 mtu 1450 type vxlan id 1 dev uplink0 dstport 8472 nolearning
ip address add 10.244.5.0/32 dev flannel.1
ip link set flannel.1 up
ip route add 10.244.6.0/24 via 10.244.6.0 dev flannel.1 onlink
mkdir /run/flannel
printf 'FLANNEL_NETWORK=10.244.0.0/16\\nFLANNEL_SUBNET=10.244.5.1/24\\nFLANNEL_MTU=1450\\n' > /run/flannel/subnet.env`);
  return host;
}

testIf({
  name: "defect 11: the MTU is Flannel's, and segments are left to the kernel to cut",
  needs,
}, async () => {
  await using host = await flannelHost();
  const { base } = await images();
  await using held = await holdContainer(host, base, []);
  const [container] = await listed(host);
  const { stdout } = await host.run("ip", [
    "-netns",
    container!.namespace,
    "-json",
    "-details",
    "link",
    "show",
    "eth0",
  ]);
  const [link] = JSON.parse(stdout);
  assertEquals([link.mtu, link.linkinfo.info_kind], [1450, "veth"]);
  assert(link.gso_max_size >= 65536, stdout);
  await endContainer(held);
});

testIf(
  { name: "defect 12: only links of containers become ports of the bridge", needs },
  async () => {
    await using host = await flannelHost();
    const { base } = await images();
    await using held = await holdContainer(host, base, []);
    const { stdout } = await host.run("ip", ["-json", "link", "show", "master", "hpk-bridge"]);
    const ports: string[] = JSON.parse(stdout).map(({ ifname }: { ifname: string }) => ifname);
    assertEquals(ports.length, 1);
    assertMatch(ports[0]!, /^hpk[0-9a-f]{12}$/);
    await endContainer(held);
  },
);
