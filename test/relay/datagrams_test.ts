/** Datagrams that the relay merges arrive one by one, as they were sent. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { type Background, PrivateHost, testIf } from "../harness/mod.ts";
import {
  attachRelay,
  attachTap,
  awaitReach,
  GATEWAY,
  makeBridge,
  needs,
  pod,
  startDaemon,
} from "./_daemon.ts";

const POD = pod(2);
const PORT = 7000;
/** Few enough for the receiver's buffer. */
const COUNT = 100;
const [SIZE, LAST_SIZE] = [300, 17];
const SCRIPT = new URL("./_datagrams.ts", import.meta.url).pathname;

/** A receiver behind a VXLAN of the host, like a container on another Flannel host. */
const FAR = "10.8.0.1";

const inside = (namespace: string | undefined, words: string[]): [string, string[]] =>
  namespace === undefined ? [words[0]!, words.slice(1)] : [
    "ip",
    ["netns", "exec", namespace, ...words],
  ];

const script = (...words: unknown[]) => [
  Deno.execPath(),
  ...["run", "--no-config", "-A", "--unstable-net", SCRIPT],
  ...words.map(String),
];

/** Packets received by an interface of the host or of the pod. */
async function received(host: PrivateHost, link: string, namespace?: string): Promise<number> {
  const where = namespace === undefined ? [] : ["-n", namespace];
  const { stdout } = await host.run("ip", [...where, "-s", "-j", "link", "show", link]);
  return JSON.parse(stdout)[0].stats64.rx.packets;
}

/** Sends while the relay is stopped, so that it finds all of them at once. */
async function sendAtOnce(
  host: PrivateHost,
  relay: Background,
  way: { from?: string; to?: string; address: string },
): Promise<void> {
  const [program, args] = inside(way.to, script("receive", way.address, PORT, COUNT));
  await using receiver = await host.spawn(program, args);
  await receiver.waitFor(/^ready$/m);
  relay.signal("SIGSTOP");
  const send = script("send", way.address, PORT, COUNT, SIZE, LAST_SIZE);
  await host.run(...inside(way.from, send));
  relay.signal("SIGCONT");
  await receiver.wait({ timeoutMs: 30_000 });
  const lines = receiver.stdout.trim().split("\n").slice(1);
  const wanted = Array.from({ length: COUNT }, (_, number) => {
    return `${number} ${number === COUNT - 1 ? LAST_SIZE : SIZE} true`;
  });
  assertEquals(lines, wanted);
}

async function addFarNamespace(host: PrivateHost): Promise<void> {
  await host.sh(`
    ip netns add far
    ip link add under0 type veth peer name under0 netns far
    ip addr add 192.0.2.1/24 dev under0; ip link set under0 up
    ip -n far addr add 192.0.2.2/24 dev under0; ip -n far link set under0 up
    ip link add vx0 type vxlan id 1 dstport 8472 local 192.0.2.1 remote 192.0.2.2 dev under0
    ip -n far link add vx0 type vxlan id 1 dstport 8472 local 192.0.2.2 remote 192.0.2.1 dev under0
    ip addr add 10.8.0.2/24 dev vx0; ip link set vx0 up
    ip -n far addr add ${FAR}/24 dev vx0; ip -n far link set vx0 up
    ip -n far route add 10.9.0.0/24 via 10.8.0.2
    sysctl -qw net.ipv4.ip_forward=1
    ip -n ${POD.id} route add default via ${GATEWAY}`);
}

testIf({ name: "datagrams merged by a tap session arrive one by one", needs }, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using daemon = await startDaemon(host);
  await attachTap(host, POD);
  await awaitReach(host, POD);
  await addFarNamespace(host);
  const ways = [
    { link: POD.hostTap, way: { from: POD.id, address: GATEWAY } },
    { link: "tap0", way: { to: POD.id, address: POD.address } },
    { link: POD.hostTap, way: { from: POD.id, to: "far", address: FAR } },
  ];
  for (const { link, way } of ways) {
    const namespace = link === "tap0" ? POD.id : undefined;
    const before = await received(host, link, namespace);
    await sendAtOnce(host, daemon, way);
    const frames = await received(host, link, namespace) - before;
    assert(frames > 0);
    assertLess(frames, COUNT / 4, `${way.address}: they were merged`);
  }
});

for (const offload of ["on", "off"]) {
  const name = `datagrams over a stream with offload ${offload} arrive one by one`;
  testIf({ name, needs }, async () => {
    await using host = await PrivateHost.create();
    await makeBridge(host);
    await using daemon = await startDaemon(host);
    await using client = await attachRelay(host, POD, ["-offload", offload]);
    await awaitReach(host, POD);
    const before = await received(host, POD.hostTap);
    await sendAtOnce(host, daemon, { from: POD.id, address: GATEWAY });
    assertLess(await received(host, POD.hostTap) - before, COUNT / 4);
    const inside = await received(host, "tap0", POD.id);
    await sendAtOnce(host, client, { to: POD.id, address: POD.address });
    assertLess(await received(host, "tap0", POD.id) - inside, COUNT / 4);
  });
}
