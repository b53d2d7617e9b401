import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { eventually, iperf3, PrivateHost, testIf } from "../harness/mod.ts";
import {
  ask,
  attachRelay,
  attachTap,
  awaitReach,
  configure,
  countersOf,
  DIRECTORY,
  linksOf,
  makeBridge,
  needs,
  pod,
  reachesGateway,
  socketOf,
  startClient,
  startDaemon,
} from "./_daemon.ts";
import { startTransfer } from "./_transfer.ts";

for (const datapath of ["tap", "relay"] as const) {
  testIf({
    name: `${datapath}: the daemon is killed and restarted, and no byte of a transfer is lost`,
    needs,
  }, async () => {
    await using host = await PrivateHost.create();
    await makeBridge(host);
    await using first = await startDaemon(host);
    const web = pod(2);
    await using _client = datapath === "relay"
      ? await attachRelay(host, web)
      : (await attachTap(host, web), { [Symbol.asyncDispose]: async () => {} });
    await awaitReach(host, web);
    const transfer = await startTransfer(host, web);
    await eventually(() => transfer.arrived() > 2_000_000, { what: "the first bytes" });
    first.signal("SIGKILL");
    assertEquals((await first.wait()).signal, "SIGKILL");
    const before = transfer.arrived();
    assertLess(before, 15_000_000, "it is still in progress");
    await using second = await startDaemon(host);
    assertMatch(second.stderr, /pod2: resumed/);
    const { sent, received } = await transfer.done;
    assertEquals(received, sent);
    assertEquals((await countersOf(host, web))["connected"], 1);
  });
}

testIf({
  name: "defect 10: the client is killed and restarted, and no byte of a transfer is lost",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using daemon = await startDaemon(host);
  const web = pod(2);
  await using first = await attachRelay(host, web);
  await awaitReach(host, web);
  const transfer = await startTransfer(host, web);
  await eventually(() => transfer.arrived() > 2_000_000, { what: "the first bytes" });
  first.signal("SIGKILL");
  await first.wait();
  await daemon.waitFor(/pod2: the peer is gone/);
  await using _second = await startClient(host, web);
  const { sent, received } = await transfer.done;
  assertEquals(received, sent);
  assertEquals((await countersOf(host, web))["connections"], 2);
});

testIf({
  name: "a peer that stops reading has a bounded queue, and the other sessions are not affected",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using daemon = await startDaemon(host);
  const [stuck, healthy] = [pod(2), pod(3)];
  await using client = await attachRelay(host, stuck);
  await attachTap(host, healthy);
  await awaitReach(host, stuck);
  await awaitReach(host, healthy);
  client.signal("SIGTERM");
  await client.wait();
  await daemon.waitFor(/pod2: the peer is gone/);
  const silent = await Deno.connect({ transport: "unix", path: host.root + socketOf(stuck) });
  await daemon.waitFor(/pod2: pid \d+ of user 0 connected[^]*pod2: pid \d+ of user 0/);
  // Without an ARP reply nothing more would be sent to it.
  await host.sh(`ip neigh replace ${stuck.address} lladdr ${stuck.mac} dev br0 nud permanent
    bridge fdb replace ${stuck.mac} dev ${stuck.hostTap} master static`);
  const flood = `while :; do head -c 1000000 /dev/zero > /dev/udp/${stuck.address}/9; done`;
  await using _flood = await host.spawn("bash", ["-c", flood]);
  await eventually(async () => (await countersOf(host, stuck))["droppedQueue"]! > 100, {
    what: "frames for it are dropped",
    timeoutMs: 20_000,
  });
  assertEquals(await reachesGateway(host, healthy), true);
  const { status } = await ask(host, { version: 1, op: "status" });
  assertLess(status!.memoryBytes, 150 * 2 ** 20);
  silent.close();
  await using _again = await startClient(host, stuck);
  await configure(host, stuck);
  await awaitReach(host, stuck);
});

testIf({
  name: "a TAP that is deleted, or a namespace that vanishes, ends only its own session",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using daemon = await startDaemon(host);
  const [deleted, vanished, healthy] = [pod(2), pod(3), pod(4)];
  for (const each of [deleted, vanished, healthy]) await attachTap(host, each);
  await host.run("ip", ["link", "delete", deleted.hostTap]);
  await daemon.waitFor(/pod2: ended: hpkpod2: the interface was deleted/);
  await eventually(async () => {
    const { stdout } = await host.run("ip", ["-n", deleted.id, "-br", "link"]);
    return !stdout.includes("tap0");
  }, { what: "the container's TAP is gone too" });
  await host.run("ip", ["netns", "delete", vanished.id]);
  await daemon.waitFor(/pod3: its namespace is gone/);
  await eventually(async () => !(await linksOf(host)).includes(vanished.hostTap), {
    what: "the host's TAP is gone too",
  });
  await awaitReach(host, healthy);
  const { status } = await ask(host, { version: 1, op: "status" });
  assertEquals(status?.sessions.map(({ id }) => id), [healthy.id]);
});

testIf({ name: "an interface that is down loses frames, not the session", needs }, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using _daemon = await startDaemon(host);
  const web = pod(2);
  await attachTap(host, web);
  await awaitReach(host, web);
  await host.run("ip", ["link", "set", web.hostTap, "down"]);
  assertEquals(await reachesGateway(host, web), false);
  assertGreater((await countersOf(host, web))["droppedDevice"]!, 0);
  await host.run("ip", ["link", "set", web.hostTap, "up"]);
  await awaitReach(host, web);
});

testIf({
  name: "SIGTERM under full load ends the daemon and its client cleanly",
  needs: [...needs, iperf3],
}, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using daemon = await startDaemon(host);
  const [one, two] = [pod(2), pod(3)];
  await attachTap(host, one);
  await using client = await attachRelay(host, two);
  await awaitReach(host, one);
  await awaitReach(host, two);
  const load: AsyncDisposable[] = [];
  try {
    for (const [index, each] of [one, two].entries()) {
      const port = String(5201 + index);
      const server = await host.spawn("iperf3", ["-s", "-p", port, "--forceflush"]);
      load.push(server);
      await server.waitFor(/listening/);
      const words = ["netns", "exec", each.id, "iperf3", "-c", "10.9.0.1", "-p", port, "-t", "30"];
      load.push(await host.spawn("ip", words));
    }
    await eventually(async () => (await countersOf(host, one))["txBytes"]! > 10 ** 8, {
      what: "load on tap",
      timeoutMs: 20_000,
    });
    await eventually(async () => (await countersOf(host, two))["txBytes"]! > 10 ** 8, {
      what: "load on relay",
      timeoutMs: 20_000,
    });
    for (const process of [client, daemon]) {
      process.signal("SIGTERM");
      assertEquals((await process.wait({ timeoutMs: 5000 })).code, 0);
    }
  } finally {
    for (const each of load) await each[Symbol.asyncDispose]();
  }
  assert((await linksOf(host)).includes(one.hostTap), "sessions stay for the next daemon");
  const { stdout } = await host.run("ls", [`${DIRECTORY}/sessions`]);
  assertEquals(stdout, "pod2\npod3\n");
});
