import { assert, assertEquals, assertGreater, assertMatch, assertRejects } from "@std/assert";
import { eventually, PrivateHost, testIf } from "../harness/mod.ts";
import {
  ask,
  attachRelay,
  attachTap,
  awaitReach,
  converse,
  countersOf,
  DIRECTORY,
  linksOf,
  makeBridge,
  needs,
  NET_DAEMON,
  pod,
  reachesGateway,
  sessionOf,
  socketOf,
  startClient,
  startDaemon,
} from "./_daemon.ts";

testIf({
  name: "a session of two TAPs carries frames, counts them, and leaves no trace",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using daemon = await startDaemon(host);
  const web = pod(2);
  await attachTap(host, web);
  await awaitReach(host, web);
  const counters = await countersOf(host, web);
  assertGreater(counters["txFrames"]!, 0);
  assertGreater(counters["rxFrames"]!, 0);
  assertEquals([counters["connected"], counters["offload"]], [1, 1]);
  const args = ["status", "--directory", DIRECTORY];
  const { stdout: table } = await host.run(NET_DAEMON, args);
  assertMatch(table, /^pod2 +tap +hpkpod2 +\d+s +connected/m);
  const { stdout: json } = await host.run(NET_DAEMON, [...args, "--json"]);
  assertEquals(JSON.parse(json).sessions[0].id, "pod2");
  const { stdout: metrics } = await host.run(NET_DAEMON, [...args, "--prometheus"]);
  assertMatch(metrics, /^hpk_net_session_tx_frames_total\{session="pod2"\} [1-9]/m);
  await ask(host, { version: 1, op: "remove", id: web.id });
  assert(!(await linksOf(host)).includes(web.hostTap), "the host's TAP is gone");
  const { stdout } = await host.run("ip", ["-n", web.id, "-br", "link"]);
  assertEquals(stdout.includes("tap0"), false, "the container's TAP is gone");
  daemon.signal("SIGTERM");
  assertEquals((await daemon.wait()).code, 0);
  assertEquals((await host.run("ls", ["-A", "/run"])).stdout.includes("net\n"), false);
});

testIf(
  { name: "frames from other addresses than the container's are dropped and counted", needs },
  async () => {
    await using host = await PrivateHost.create();
    await makeBridge(host);
    await using _daemon = await startDaemon(host);
    const web = pod(2);
    await attachTap(host, web);
    await awaitReach(host, web);
    const before = (await countersOf(host, web))["droppedFilter"];
    assertEquals(before, 0);
    const inPod = (...words: string[]) =>
      host.run("ip", ["netns", "exec", web.id, ...words], { check: false });
    await inPod("ip", "addr", "add", "10.9.0.77/24", "dev", "tap0");
    const spoofed = await inPod("busybox", "ping", "-c2", "-W1", "-I", "10.9.0.77", "10.9.0.1");
    assertEquals(spoofed.code, 1);
    const address = (await countersOf(host, web))["droppedFilter"]!;
    assertGreater(address, 0, "spoofed IPv4 address");
    await inPod("ip", "link", "set", "tap0", "address", "0a:58:0a:09:00:09");
    assertEquals(await reachesGateway(host, web), false);
    assertGreater(
      (await countersOf(host, web))["droppedFilter"]!,
      address,
      "spoofed Ethernet address",
    );
  },
);

testIf({
  name: "the daemon's sockets and files are private, and a second daemon is refused",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using _daemon = await startDaemon(host);
  const web = pod(2);
  await using _client = await attachRelay(host, web);
  const paths = [
    DIRECTORY,
    `${DIRECTORY}/control.sock`,
    `${DIRECTORY}/links/${web.id}`,
    socketOf(web),
  ];
  const { stdout } = await host.run("stat", ["-c", "%a %u", ...paths]);
  assertEquals(stdout.trim().split("\n"), ["700 0", "600 0", "700 0", "600 0"]);
  const second = await host.run(NET_DAEMON, ["serve", "--directory", DIRECTORY], { check: false });
  assertEquals(second.code, 125);
  assertMatch(second.stderr, /another hpk-net-daemon does/);
});

testIf({
  name: "a second client is refused and logged with its pid; the first one goes on",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using daemon = await startDaemon(host);
  const web = pod(2);
  await using _client = await attachRelay(host, web);
  await awaitReach(host, web);
  await using second = await startClient(host, web, ["-tap", "tap9"]);
  const match = await daemon.waitFor(/pod2: refused pid (\d+): there is a peer already/);
  assertEquals(Number(match[1]), second.innerPid);
  assertGreater((await countersOf(host, web))["refused"]!, 0);
  assertEquals(await reachesGateway(host, web), true);
});

testIf({ name: "a malformed control message ends only its own connection", needs }, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  await using daemon = await startDaemon(host);
  for (const line of ["\n", "{}\n", "\0\xff\n", `${"x".repeat(70_000)}`]) {
    assertMatch(await converse(host, line), /malformed request/);
  }
  await assertRejects(
    () => ask(host, { version: 1, op: "add", session: sessionOf(pod(3), "tap") }),
    Error,
    "cannot start session pod3: open /run/netns/pod3: ENOENT",
  );
  assertEquals((await linksOf(host)).includes("hpkpod3"), false, "nothing is left of the attempt");
  await attachTap(host, pod(2));
  await assertRejects(
    () => ask(host, { version: 1, op: "add", session: { ...sessionOf(pod(2), "tap"), mtu: 1400 } }),
    Error,
    "another session has that id",
  );
  await awaitReach(host, pod(2));
  assertEquals(daemon.running, true);
});

testIf(
  { name: "a daemon without sessions ends by itself, and removes its directory", needs },
  async () => {
    await using host = await PrivateHost.create();
    await using daemon = await startDaemon(host, ["--idle-exit", "1"]);
    assertEquals((await daemon.wait({ timeoutMs: 6000 })).code, 0);
    assertEquals((await host.run("ls", ["-A", "/run"])).stdout.includes("net\n"), false);
    await using orphan = await startDaemon(host);
    await host.run("rm", ["-r", DIRECTORY]);
    assertEquals((await orphan.wait({ timeoutMs: 6000 })).code, 0);
    assertMatch(orphan.stderr, /the directory is gone/);
    await eventually(() => !orphan.running, { what: "its end" });
  },
);
