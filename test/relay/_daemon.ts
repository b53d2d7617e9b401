/**
 * Shared by the tests of the relay:
 *
 *     host: br0 10.9.0.1/24 ──┬── hpk<id> ── hpk-net-daemon ── tap0 of namespace <id>, 10.9.0.2/24
 *                             └── hpk<id> ── hpk-net-daemon ── …                       10.9.0.3/24
 */
import { assert } from "@std/assert";
import {
  type Background,
  busybox,
  eventually,
  type Need,
  type PrivateHost,
  privateHosts,
  tunDevice,
} from "../harness/mod.ts";

/** The binary under test: `$HPK_NET_DAEMON`, or the output of `scripts/build`. */
export const NET_DAEMON: string = Deno.env.get("HPK_NET_DAEMON") ??
  new URL("../../dist/hpk-net-daemon", import.meta.url).pathname;

/** The needs of every test of the relay. */
export const needs: readonly Need[] = [...privateHosts, tunDevice, busybox];

/** Where the tests' daemons keep their sockets. */
export const DIRECTORY = "/run/net";

/** Gateway of the tests' network. */
export const GATEWAY = "10.9.0.1";

/** Makes the bridge. */
export async function makeBridge(host: PrivateHost): Promise<void> {
  await host.sh(`
    mkdir -p /run/netns
    ip link add br0 type bridge
    ip addr add ${GATEWAY}/24 dev br0
    ip link set br0 up
  `);
}

/** Starts `hpk-net-daemon serve` and waits until it reports that it is ready. */
export async function startDaemon(
  host: PrivateHost,
  args: readonly string[] = [],
): Promise<Background> {
  const words = ["serve", "--directory", DIRECTORY, "--ready-fd", "1", ...args];
  const daemon = await host.spawn(NET_DAEMON, words);
  await daemon.waitFor(/^ready$/m, { stream: "stdout" });
  return daemon;
}

/** A container of the tests: its number, from 2 on, is the last byte of its addresses. */
export interface Pod {
  readonly id: string;
  readonly address: string;
  readonly mac: string;
  readonly hostTap: string;
}

/** Describes a container. */
export function pod(number: number): Pod {
  return {
    id: `pod${number}`,
    address: `10.9.0.${number}`,
    mac: `0a:58:0a:09:00:0${number}`,
    hostTap: `hpkpod${number}`,
  };
}

/** The session to request from the daemon. */
export function sessionOf(pod: Pod, datapath: "tap" | "relay"): Record<string, unknown> {
  return {
    id: pod.id,
    datapath,
    hostTap: pod.hostTap,
    container: datapath === "tap" ? { namespace: `/run/netns/${pod.id}`, tap: "tap0" } : null,
    mtu: 1500,
    mac: pod.mac,
    address: pod.address,
    filter: true,
    uid: 0,
  };
}

/** Path of the socket of a session of datapath "relay". */
export function socketOf(pod: Pod): string {
  return `${DIRECTORY}/links/${pod.id}/relay.sock`;
}

/** Attaches a container by datapath "tap". */
export async function attachTap(host: PrivateHost, pod: Pod): Promise<void> {
  await host.run("ip", ["netns", "add", pod.id]);
  await ask(host, { version: 1, op: "add", session: sessionOf(pod, "tap") });
  await configure(host, pod);
}

/** Attaches a container by datapath "relay": a session, and a client in its namespace. */
export async function attachRelay(
  host: PrivateHost,
  pod: Pod,
  flags: readonly string[] = [],
): Promise<Background> {
  await host.run("ip", ["netns", "add", pod.id]);
  await ask(host, { version: 1, op: "add", session: sessionOf(pod, "relay") });
  const client = await startClient(host, pod, flags);
  await configure(host, pod);
  return client;
}

/** Starts a relay with the original's command line in a container's namespace. */
export async function startClient(
  host: PrivateHost,
  pod: Pod,
  flags: readonly string[] = [],
): Promise<Background> {
  const command = ["-mode", "client", "-socket", socketOf(pod), "-tap", "tap0", "-create-tap"];
  const words = ["netns", "exec", pod.id, NET_DAEMON, ...command, ...flags];
  const client = await host.spawn("ip", words);
  await client.waitFor(/connected to/);
  return client;
}

/** Sets the addresses of a container whose TAPs exist. */
export async function configure(host: PrivateHost, pod: Pod): Promise<void> {
  await host.sh(`
    ip link set ${pod.hostTap} master br0 up
    ip -n ${pod.id} link set lo up
    ip -n ${pod.id} link set tap0 address ${pod.mac} up
    ip -n ${pod.id} addr replace ${pod.address}/24 dev tap0
  `);
}

/** Sends a request to the daemon; throws the error that it answers. */
export async function ask(
  host: PrivateHost,
  request: unknown,
): Promise<
  { status?: { sessions: SessionStatus[]; relayHeapBytes: number; memoryBytes: number } }
> {
  const answer = await converse(host, `${JSON.stringify(request)}\n`);
  const parsed = JSON.parse(answer);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed;
}

/** A session, as the daemon reports it. */
export interface SessionStatus {
  readonly id: string;
  readonly counters: Readonly<Record<string, number>>;
}

/**
 * Sends text to the control socket.
 *
 * @return The answer to the first line, or "" if it is closed.
 */
export async function converse(host: PrivateHost, text: string): Promise<string> {
  using connection = await Deno.connect({
    transport: "unix",
    path: `${host.root}${DIRECTORY}/control.sock`,
  });
  await connection.write(new TextEncoder().encode(text));
  const chunk = new Uint8Array(64 * 1024);
  let answer = "";
  while (!answer.includes("\n")) {
    const length = await connection.read(chunk);
    if (length === null) break;
    answer += new TextDecoder().decode(chunk.subarray(0, length));
  }
  return answer;
}

/** A session's counters. */
export async function countersOf(
  host: PrivateHost,
  pod: Pod,
): Promise<Readonly<Record<string, number>>> {
  const { status } = await ask(host, { version: 1, op: "status" });
  const session = status?.sessions.find(({ id }) => id === pod.id);
  assert(session !== undefined, `${pod.id} is not among the sessions`);
  return session.counters;
}

/** Whether a container reaches the gateway. */
export async function reachesGateway(host: PrivateHost, pod: Pod): Promise<boolean> {
  const ping = ["busybox", "ping", "-c1", "-W1", GATEWAY];
  const { code } = await host.run("ip", ["netns", "exec", pod.id, ...ping], { check: false });
  return code === 0;
}

/** Waits until a container reaches the gateway. */
export async function awaitReach(host: PrivateHost, pod: Pod): Promise<void> {
  await eventually(() => reachesGateway(host, pod), {
    what: `${pod.id} reaches ${GATEWAY}`,
    timeoutMs: 15_000,
  });
}

/** Names of the host's links. */
export async function linksOf(host: PrivateHost): Promise<string[]> {
  const { stdout } = await host.run("ip", ["-j", "link"]);
  return JSON.parse(stdout).map(({ ifname }: { ifname: string }) => ifname);
}
