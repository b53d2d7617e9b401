/** Containers on hosts of a cluster, and their traffic. */
import { assertEquals } from "@std/assert";
import { type Background, images, type Place } from "../mod.ts";
import { hpk } from "../hpktainer.ts";
import type { Node } from "./cluster.ts";

/** A container on a host. */
export interface Pod {
  readonly node: Node;
  readonly name: string;
  readonly address: string;
  readonly address6: string | null;
  readonly subnet: string;
  /** Words that enter its network, to put before a command of its host. */
  readonly prefix: readonly string[];
}

/** How long a start may take on a busy machine, in ms. */
const START_TIMEOUT_MS = 60_000;

/** Starts a container that does nothing. */
export async function startPod(
  node: Node,
  name: string,
  options: readonly string[] = [],
): Promise<Pod> {
  const { base } = await images();
  await hpk(node.host, ["instance", "start", ...options, base, name], {
    check: true,
    timeoutMs: START_TIMEOUT_MS,
  });
  return await findPod(node, name);
}

/** A container by its name. */
export async function findPod(node: Node, name: string): Promise<Pod> {
  const { stdout } = await hpk(node.host, ["show", name, "--json"], { check: true });
  const { address, address6 = null, namespace, subnet } = JSON.parse(stdout).container;
  return { node, name, address, address6, subnet, prefix: ["ip", "netns", "exec", namespace] };
}

/** Stops a container. */
export async function stopPod({ node, name }: Pod): Promise<void> {
  await hpk(node.host, ["instance", "stop", name], { check: true, timeoutMs: START_TIMEOUT_MS });
}

const ECHO = ["run", "-A", "--unstable-net", new URL("../echo.ts", import.meta.url).pathname];
const ECHO_PORT = "7007";

/** A place in a network: a host or, with a prefix, a container. */
export interface Spot {
  readonly place: Place;
  readonly prefix: readonly string[];
}

/** Where a container is. */
export function spotOf({ node, prefix }: Pod): Spot {
  return { place: node.host, prefix };
}

/** Runs a command at a spot; throws unless it succeeds. */
export async function runAt(
  { place, prefix }: Spot,
  words: readonly string[],
  timeoutMs = 30_000,
): Promise<string> {
  const [command, ...args] = [...prefix, ...words];
  return (await place.run(command!, args, { timeoutMs })).stdout;
}

/** Starts a command at a spot. */
export async function spawnAt(
  { place, prefix }: Spot,
  words: readonly string[],
): Promise<Background> {
  const [command, ...args] = [...prefix, ...words];
  return await place.spawn(command!, args);
}

/** A server at a spot that answers each client with the address that it sees. */
export async function startEcho(spot: Spot, address: string): Promise<Background> {
  const serving = await spawnAt(spot, [Deno.execPath(), ...ECHO, "serve", address, ECHO_PORT]);
  await serving.waitFor(/ready/, { timeoutMs: 20_000 });
  return serving;
}

/** Asserts that a server of {@linkcode startEcho} sees a client as `seenAs`. */
export async function assertSeenAs(
  transport: "tcp" | "udp",
  client: Spot,
  server: string,
  seenAs: string,
): Promise<void> {
  const words = [Deno.execPath(), ...ECHO, "ask", transport, server, ECHO_PORT];
  assertEquals((await runAt(client, words, 20_000)).trim(), seenAs, `${transport} to ${server}`);
}

/** Sends one ICMP echo request with so many bytes; throws if no reply arrives. */
export async function ping(client: Spot, address: string, bytes = 56): Promise<void> {
  const version = address.includes(":") ? "ping6" : "ping";
  const words = ["busybox", version, "-q", "-c", "2", "-W", "5", "-s", String(bytes), address];
  await runAt(client, words);
}

/** Sends so many bytes by TCP; throws when the transfer stalls. */
export async function transfer(
  client: Spot,
  server: Spot,
  address: string,
  bytes: string,
): Promise<void> {
  await using serving = await spawnAt(server, ["iperf3", "-s", "-1", "--forceflush"]);
  await serving.waitFor(/Server listening/, { timeoutMs: 20_000 });
  await runAt(client, ["iperf3", "-c", address, "-n", bytes], 60_000);
}
