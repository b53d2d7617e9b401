import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { type Background, eventually, iperf3, PrivateHost, testIf } from "../harness/mod.ts";
import {
  ask,
  awaitReach,
  configure,
  countersOf,
  makeBridge,
  needs,
  NET_DAEMON,
  pod,
  sessionOf,
  socketOf,
  startDaemon,
} from "./_daemon.ts";

const POD = pod(2);

/** A frame of the original's format: 4 bytes length, big-endian, then the frame. */
function onWire(...frame: number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + frame.length);
  new DataView(bytes.buffer).setUint32(0, frame.length);
  bytes.set(frame, 4);
  return bytes;
}

const MAC = [0x0a, 0x58, 0x0a, 0x09, 0x00, 0x02];
const ARP_REQUEST = onWire(
  ...[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...MAC, 0x08, 0x06],
  ...[0, 1, 8, 0, 6, 4, 0, 1, ...MAC, 10, 9, 0, 2, 0, 0, 0, 0, 0, 0, 10, 9, 0, 1],
);

/** Reads frames until one has an EtherType. */
async function readFrame(peer: Deno.Conn, etherType: number): Promise<Uint8Array> {
  for (;;) {
    const head = await readExactly(peer, 4);
    const frame = await readExactly(peer, new DataView(head.buffer).getUint32(0));
    if (new DataView(frame.buffer).getUint16(12) === etherType) return frame;
  }
}

async function readExactly(peer: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const count = await peer.read(bytes.subarray(filled));
    if (count === null) throw new Error("the connection was closed");
    filled += count;
  }
  return bytes;
}

async function relayHost(): Promise<{ host: PrivateHost; daemon: Background } & AsyncDisposable> {
  const host = await PrivateHost.create();
  await makeBridge(host);
  const daemon = await startDaemon(host);
  await ask(host, { version: 1, op: "add", session: sessionOf(POD, "relay") });
  await host.run("ip", ["link", "set", POD.hostTap, "master", "br0", "up"]);
  return {
    host,
    daemon,
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}

function connectPeer(host: PrivateHost): Promise<Deno.UnixConn> {
  return Deno.connect({ transport: "unix", path: host.root + socketOf(POD) });
}

testIf(
  { name: "defect 17: a peer that only knows the original's format is answered in it", needs },
  async () => {
    await using setting = await relayHost();
    using peer = await connectPeer(setting.host);
    await peer.write(ARP_REQUEST);
    const reply = await readFrame(peer, 0x0806);
    assertEquals([...reply.subarray(0, 6)], MAC);
    assertEquals([...reply.subarray(20, 22)], [0, 2], "a reply");
    assertEquals([...reply.subarray(28, 32)], [10, 9, 0, 1]);
    assertEquals((await countersOf(setting.host, POD))["offload"], 0);
  },
);

testIf(
  { name: "a malformed frame ends its connection, and the next one is served", needs },
  async () => {
    await using setting = await relayHost();
    const { host, daemon } = setting;
    for (const bytes of [[0xff, 0xff, 0xff, 0xff], [0, 0, 0, 1, 0], [0, 1, 0, 1]]) {
      using peer = await connectPeer(host);
      await peer.write(Uint8Array.from(bytes));
      while (await peer.read(new Uint8Array(1000)) !== null);
      await eventually(async () => (await countersOf(host, POD))["connected"] === 0, {
        what: "the connection is over",
      });
    }
    assertMatch(daemon.stderr, /malformed: a frame of 4294967295 bytes/);
    assertEquals((await countersOf(host, POD))["malformed"], 3);
    using peer = await connectPeer(host);
    await peer.write(ARP_REQUEST);
    await readFrame(peer, 0x0806);
  },
);

testIf(
  { name: "if the kernel refuses a segment, the peer is notified to send none", needs },
  async () => {
    await using setting = await relayHost();
    const { host } = setting;
    using peer = await connectPeer(host);
    const notice = (flags: number, header: number[]) =>
      onWire(
        ...header,
        ...[0x01, 0x80, 0xc2, 0, 0, 0x0e, 0x02, 0x48, 0x50, 0x4b, 0, 1, 0x88, 0xb5],
        ...[0x48, 0x50, 0x4b, 0x4e, 1, flags, ...new Array(40).fill(0)],
      );
    await peer.write(notice(3, []));
    const first = await readFrame(peer, 0x88b5);
    assertEquals(first[19], 1, "it accepts segments");
    // A TCP segment that claims to have its checksum elsewhere than TCP has: kernels from 6.11 on
    // refuse it.
    const header = [1, 1, 54, 0, 100, 0, 34, 0, 6, 0];
    const ip = [0x45, 0, 0x07, 0xd0, 0, 0, 0, 0, 64, 6, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1];
    const tcp = [0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 0, 0, 0, 0, 0, 0];
    const segment = [...MAC.with(5, 9), ...MAC, 0x08, 0, ...ip, ...tcp, ...new Array(1960).fill(0)];
    await peer.write(onWire(...header, ...segment));
    await eventually(async () => (await countersOf(host, POD))["fallbacks"] === 1, {
      what: "the fallback",
    });
    // Frames have virtio headers now: the notice starts 10 bytes later.
    for (;;) {
      const head = await readExactly(peer, 4);
      const frame = await readExactly(peer, new DataView(head.buffer).getUint32(0));
      const at = [0, 10].find((start) => frame[start + 12] === 0x88 && frame[start + 13] === 0xb5);
      if (at !== undefined && (frame[at + 19]! & 1) === 0) break;
    }
  },
);

testIf({
  name: "two processes with the original's command line, without offload, carry TCP",
  needs: [...needs, iperf3],
}, async () => {
  await using host = await PrivateHost.create();
  await makeBridge(host);
  const flags = ["-socket", "/run/s", "-create-tap", "-offload", "off"];
  await using server = await host.spawn(NET_DAEMON, [
    ...["-mode", "server", "-tap", POD.hostTap, "-mtu", "1400"],
    ...flags,
    ...["-mac", POD.mac, "-ip", POD.address],
  ]);
  await server.waitFor(/server on hpkpod2, MTU 1400/);
  await host.run("ip", ["netns", "add", POD.id]);
  const client = ["netns", "exec", POD.id, NET_DAEMON, "-mode", "client", "-tap", "tap0", ...flags];
  await using running = await host.spawn("ip", client);
  await running.waitFor(/connected to/);
  await configure(host, POD);
  await awaitReach(host, POD);
  await using iperf = await host.spawn("iperf3", ["-s", "-1", "--forceflush"]);
  await iperf.waitFor(/listening/);
  const words = ["netns", "exec", POD.id, "iperf3", "-c", "10.9.0.1", "-n", "20M", "-J"];
  const { stdout } = await host.run("ip", words);
  assertGreater(JSON.parse(stdout).end.sum_received.bytes, 10 * 2 ** 20);
  running.signal("SIGTERM");
  assertEquals((await running.wait()).code, 0);
  const { stdout: links } = await host.run("ip", ["-n", POD.id, "-br", "link"]);
  assertEquals(links.includes("tap0"), false, "its TAP is gone");
  server.signal("SIGTERM");
  assertEquals((await server.wait()).code, 0);
  await host.sh("! test -e /run/s");
});

testIf({ name: "a wrong command line is reported in one line", needs }, async () => {
  await using host = await PrivateHost.create();
  const cases: [string[], RegExp][] = [
    [
      ["-mode", "client", "-socket", "/run/s"],
      /cannot relay tap0 as client: there is no interface tap0; create it/,
    ],
    [["-mode", "server", "-tap", "x"], /cannot use -socket/],
    [["status", "--directory", "/run/none"], /no hpk-net-daemon serves \/run\/none/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await host.run(NET_DAEMON, args, { check: false });
    assertEquals(code, 125);
    assertMatch(stderr, message);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  }
});
