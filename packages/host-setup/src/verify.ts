/**
 * The live checks: a container on the network for Apptainer reaches the outside and is reachable.
 *
 *   outside (namespace) ──1280── host ── hpk0 ── container (namespace)
 *     192.0.2.2                   │
 *                               uplink ── DNS servers, --target
 *
 * The namespace outside stands for another host: it connects to the published port, and the path to
 * it has an MTU that no link of the container has.
 */

import { containerResolver, formatIpv4, HpkError, parseIpv4, parseResolvConf } from "@hpk/core";
import { readTxChecksum } from "@hpk/core/ffi";
import { logProgram, readFileIfExists, runCommand, runOrThrow } from "@hpk/core/os";
import { JournalFile } from "./journal_file.ts";
import { makePlan, type Plan, type SetupRequest } from "./plan_setup.ts";
import { runTasks } from "./probe.ts";
import { makeProbeContainer, PROBE_NAMESPACE, removeProbeContainer } from "./probe_container.ts";
import { freeNetwork } from "./pure/cni_network.ts";
import type { ProbeResult, ProbeTask } from "./pure/probe.ts";
import { failed, FIXES, type Proof } from "./pure/verify_report.ts";
import { findTool } from "./tools.ts";

/** The namespace that stands for another host, and the link to it. */
const OUTSIDE_NAMESPACE = "hpk-verify-out";
const OUTSIDE_LINK = "hpkverify0";
const INNER_LINK = "out0";

/** MTU of the path to it, in bytes: the least that IPv6 allows, as in a tunnel in a tunnel. */
const NARROW_MTU = 1280;

/** Ports: of the servers, and the published one of the host. */
const SERVER_PORT = 18080;
const PUBLISHED_PORT = 18081;

/** A server outside. */
export interface Target {
  /** IPv4 address. */
  readonly address: string;
  readonly port: number;
}

/** Options of --verify. */
export interface VerifyRequest extends SetupRequest {
  /** The outside server to connect to; undefined to use the DNS servers. */
  readonly target: Target | undefined;
}

/**
 * Runs the checks. What they need is removed again.
 *
 * @throws {HpkError} If there is no network to check.
 */
export async function verifySetup(request: VerifyRequest): Promise<Proof[]> {
  using _lock = await JournalFile.open();
  await removeProbe();
  const plan = await makePlan(request);
  const { look, desired } = plan;
  const conflist = desired.wanted.find(({ id }) =>
    id.endsWith(`50_${desired.network.name}.conflist`)
  );
  const [rules] = look.ruleSets;
  if (
    conflist === undefined || look.apptainer === undefined || rules === undefined ||
    readFileIfExists(conflist.id) === undefined
  ) {
    throw new HpkError({
      what: "cannot verify",
      why: "the network for Apptainer is not set up",
      fix: "run 'host-setup --apply' first",
    });
  }
  const port = { hostPort: PUBLISHED_PORT, containerPort: SERVER_PORT, protocol: "tcp" } as const;
  let container: string;
  try {
    container = await makeProbeContainer(conflist.id, look.apptainer, rules, port);
  } catch (error) {
    if (!(error instanceof HpkError)) throw error;
    return [failed("container", "a container gets a network", error.message)];
  }
  try {
    return await prove(plan, container, await makeOutside(plan), request.target);
  } finally {
    await removeProbe();
  }
}

/** Removes what the checks need, or the remains of a killed run. */
export async function removeProbe(): Promise<void> {
  const ip = findTool("ip");
  if (ip === undefined) return;
  await runCommand(ip, ["link", "delete", OUTSIDE_LINK]);
  await runCommand(ip, ["netns", "delete", OUTSIDE_NAMESPACE]);
  await removeProbeContainer();
}

/** Addresses of the link to the namespace outside. */
interface Outside {
  readonly host: string;
  readonly address: string;
}

async function makeOutside({ look }: Plan): Promise<Outside> {
  const network = freeNetwork(look);
  const [host, address] = [formatIpv4(network.network + 1), formatIpv4(network.network + 2)] as [
    string,
    string,
  ];
  const ip = findTool("ip")!;
  await runOrThrow(ip, ["netns", "add", OUTSIDE_NAMESPACE]);
  await runOrThrow(ip, ["-batch", "-"], {
    stdin:
      `link add ${OUTSIDE_LINK} mtu ${NARROW_MTU} type veth peer name ${INNER_LINK} mtu 1500 netns ${OUTSIDE_NAMESPACE}
address add ${host}/30 dev ${OUTSIDE_LINK}
link set ${OUTSIDE_LINK} up
`,
  });
  await runOrThrow(ip, ["-netns", OUTSIDE_NAMESPACE, "-batch", "-"], {
    stdin: `link set lo up
address add ${address}/30 dev ${INNER_LINK}
link set ${INNER_LINK} up
route add default via ${host}
`,
  });
  return { host, address };
}

async function prove(
  { look, desired }: Plan,
  container: string,
  outside: Outside,
  target: Target | undefined,
): Promise<Proof[]> {
  await using _inner = await startServer(PROBE_NAMESPACE);
  await using _outer = await startServer(OUTSIDE_NAMESPACE, INNER_LINK);
  const uplink = look.links.find(({ name }) => name === desired.uplink.name);
  const own = uplink?.addresses[0];
  const published = own === undefined ? outside.host : formatIpv4(own.address);
  const resolver = containerResolver(
    parseResolvConf(readFileIfExists(RESOLVED_CONF) ?? readFileIfExists("/etc/resolv.conf") ?? ""),
    [],
  );
  const servers = resolver.servers.filter((server) => !server.includes(":"));
  const targets = target === undefined
    ? servers.map((address) => ({ address, port: 53 }))
    : [target];
  const fetch = (address: string, port: number): ProbeTask => ({ kind: "fetch", address, port });
  // Alone and first, since a transfer the other way would let the container learn the path's MTU.
  const [narrow] = await runIn(PROBE_NAMESPACE, [fetch(outside.address, SERVER_PORT)]);
  const [inside, fromOutside, fromHost] = await Promise.all([
    runIn(PROBE_NAMESPACE, [
      fetch(published, PUBLISHED_PORT),
      ...targets.map((to): ProbeTask => ({ kind: "connect", ...to })),
      ...servers.map((address): ProbeTask => ({ kind: "dns", address })),
    ]),
    runIn(OUTSIDE_NAMESPACE, [fetch(published, PUBLISHED_PORT)]),
    runTasks([fetch(published, PUBLISHED_PORT)]),
  ]);
  const [hairpin, ...rest] = inside;
  const nameservers = servers.join(", ");
  const no = "no DNS server that containers can reach is configured";
  return [
    {
      id: "container",
      status: "ok",
      what: "a container gets a network",
      found: container,
      fix: "",
    },
    anyOf(
      "outbound",
      `a container reaches ${
        target === undefined ? nameservers : `${target.address}:${target.port}`
      } through ${desired.uplink.name ?? "the host"}`,
      rest.slice(0, targets.length),
      `${no}; give a --target HOST:PORT`,
    ),
    proof(
      "inbound",
      `another host reaches a published port, ${published}:${PUBLISHED_PORT}`,
      fromOutside[0],
    ),
    proof("local", "the host itself reaches it", fromHost[0]),
    proof("hairpin", "the container reaches it at the host's address", hairpin),
    anyOf("dns", `a container queries ${nameservers}`, rest.slice(targets.length), no),
    proof("mss", `a transfer over a path with an MTU of ${NARROW_MTU}`, narrow),
    proveOffload(desired.network.bridge, desired.wanted.some(({ kind }) => kind === "offload")),
  ];
}

/** The servers that systemd-resolved itself uses; only the host can reach its stub. */
const RESOLVED_CONF = "/run/systemd/resolve/resolv.conf";

function proof(id: Proof["id"], what: string, result: ProbeResult | undefined): Proof {
  const { ok, found } = result ?? { ok: false, found: "no result" };
  return { id, status: ok ? "ok" : "failed", what, found, fix: ok ? "" : FIXES[id] };
}

/** One success proves the path; the others may be down. */
function anyOf(
  id: Proof["id"],
  what: string,
  results: readonly ProbeResult[],
  none: string,
): Proof {
  if (results.length === 0) return { id, status: "skipped", what, found: none, fix: "" };
  return proof(id, what, results.find(({ ok }) => ok) ?? results[0]);
}

function proveOffload(bridge: string, isWanted: boolean): Proof {
  const what = `${bridge} fills in checksums`;
  if (!isWanted) {
    return { id: "offload", status: "skipped", what, found: "offload = keep", fix: "" };
  }
  const isOn = readTxChecksum(bridge);
  return isOn
    ? failed("offload", what, "tx-checksumming is on, but a bridge computes none")
    : { id: "offload", status: "ok", what, found: "tx-checksumming is off", fix: "" };
}

/**
 * Parses the value of --target.
 *
 * @param text ADDRESS:PORT.
 * @throws {HpkError} If it is invalid.
 */
export function readTarget(text: string): Target {
  const [, address = "", digits = ""] = /^([^:]+):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (port >= 1 && port <= 65535 && parseIpv4(address) !== undefined) return { address, port };
  throw new HpkError({
    what: `cannot use --target '${text}'`,
    why: "it is not ADDRESS:PORT",
    fix: "give an IPv4 address and a port, such as 192.0.2.10:443",
  });
}

/** Runs tasks in a namespace, with this program. */
async function runIn(namespace: string, tasks: readonly ProbeTask[]): Promise<ProbeResult[]> {
  const words = ["netns", "exec", namespace, Deno.execPath(), "probe", JSON.stringify(tasks)];
  return JSON.parse(await runOrThrow(findTool("ip")!, words));
}

/** Starts a server in a namespace, with this program; it ends with its standard input. */
async function startServer(namespace: string, plainLink?: string): Promise<AsyncDisposable> {
  const words = [
    "netns",
    "exec",
    namespace,
    Deno.execPath(),
    "probe",
    "serve",
    String(SERVER_PORT),
  ];
  const ip = findTool("ip")!;
  const args = [...words, ...(plainLink === undefined ? [] : [plainLink])];
  const child = new Deno.Command(ip, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const ended = logProgram([ip, ...args], child.pid);
  const reader = child.stdout.getReader();
  await reader.read();
  return {
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await reader.cancel();
      ended((await child.status).code);
    },
  };
}
