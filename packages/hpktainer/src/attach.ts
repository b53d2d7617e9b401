/**
 * Attaches a container to its network. Everything is in the ledger before it is made:
 *
 *   look at the host ── plan
 *   lock ── monitor ── record the container ── bridge, forwarding ── unlock
 *   address from host-local, and at once namespace and link
 *   address, route and lo in the namespace ── resolv.conf, hosts ── firewall ── record the address
 */

import {
  claimMeets,
  type ContainerRecord,
  type FlannelEnv,
  formatCidr,
  formatIpv4,
  hasOwnRules,
  type HostFacts,
  hostNameOf,
  HpkError,
  type Ipv4,
  macOf,
  namespaceName,
  type NetworkPlan,
  newContainerId,
  resourcesOf,
  type Settings,
} from "@hpk/core";
import {
  allocateAddress,
  AllocationError,
  faultPoint,
  ipBatch,
  Ledger,
  NAMESPACE_DIRECTORY,
  PROGRAMS,
  readHostFacts,
  requireProgram,
  saveRules,
  thisProcess,
} from "@hpk/core/os";
import { writeFiles } from "./container_files.ts";
import type { Datapath } from "./datapath.ts";
import { applyFirewall, ensureBridge, ensureFirewall } from "./host_network.ts";
import { ensureMonitor } from "./monitor_start.ts";
import type { RelayAccess } from "./pure/apptainer_command.ts";
import { linksOf, planOn, readFlannel } from "./planning.ts";
import {
  isAbandoned,
  isBeingTakenDown,
  leaseRequest,
  takeDown,
  takeDownEnded,
} from "./teardown.ts";

/** What is asked for. */
export interface AttachRequest {
  readonly settings: Settings;
  /** The address asked for, as text. */
  readonly ip: string | undefined;
  /** The container's name; undefined for one made from its id. */
  readonly name: string | undefined;
  readonly kind: ContainerRecord["kind"];
  readonly image: string;
  /** Host name in the container; undefined for one made from the name. */
  readonly hostname: string | undefined;
  readonly datapath: Datapath;
}

/** A container's network, ready to be started in. */
export interface Attachment {
  readonly record: ContainerRecord;
  /** Path of the network namespace. */
  readonly namespacePath: string;
  /** Host name for the container. */
  readonly hostname: string;
  /** Files to bind over those of the image. */
  readonly resolvConf: string;
  readonly hosts: string;
  /** File for the pid of an instance. */
  readonly pidFile: string;
  /** The address with its prefix length, such as "10.96.0.2/24". */
  readonly address: string;
  readonly gateway: string;
  /** What a container needs that makes its interface itself; undefined where we make it. */
  readonly relay: RelayAccess | undefined;
}

/** How long to wait for what an ended container still holds, in ms. */
const RELEASE_TIMEOUT_MS = 10_000;
const RELEASE_POLL_MS = 20;

/**
 * Attaches a container.
 *
 * @throws {HpkError} When it cannot be; nothing is left of the attempt.
 */
export async function attach(ledger: Ledger, request: AttachRequest): Promise<Attachment> {
  for (const program of Object.values(PROGRAMS)) requireProgram(program);
  const flannel = readFlannel(request.settings);
  const generation = ledger.readHost()?.generation;
  const look = await lookUnlocked(ledger, request, flannel);
  faultPoint("attach.planned");
  const { name, ip, settings } = request;
  if (name !== undefined || ip !== undefined || settings.publish.length > 0) {
    await releaseEnded(ledger, request);
  }

  let record: ContainerRecord | undefined;
  try {
    const planned = await ledger.withLock(async () => {
      // Another process may have made or removed the shared part since it was looked at.
      const isCurrent = ledger.readHost()?.generation === generation;
      const { facts, plan, rules } = isCurrent ? look : await lookAtHost(ledger, request, flannel);
      checkFree(ledger, request);
      const ports = await claimPorts(ledger, request, facts, rules);
      const isFirst = ledger.readHost() === undefined;
      // Before the record, so that whatever ends us from there on, someone takes it down.
      const monitor = ensureMonitor(ledger);
      faultPoint("attach.monitored");
      record = newRecord(ledger, request, plan, ports);
      ledger.write(record);
      faultPoint("attach.recorded");
      // The bridge's part begins by writing down what is changed, the firewall included.
      const bridge = ensureBridge(ledger, plan, facts, hasOwnRules(record));
      // Nobody else can have changed our chains yet: what was read of them is still true.
      const firewall = isFirst ? rules.then((read) => applyFirewall(ledger, read)) : undefined;
      await allDone([monitor, bridge, firewall ?? Promise.resolve()]);
      return { record, plan, rules: isFirst ? undefined : rules };
    });
    const attachment = await makeOwn(ledger, request, planned.record, planned.plan);
    if (hasOwnRules(planned.record)) await openOwnRules(ledger, attachment.record);
    else {
      const rules = await planned.rules;
      if (rules !== undefined) await ensureFirewall(ledger, rules);
      ledger.write(attachment.record);
    }
    faultPoint("attach.done");
    return attachment;
  } catch (error) {
    const id = record?.id;
    if (id !== undefined) await takeDown(ledger, (candidate) => candidate.id === id);
    else if (ledger.list().length === 0) await takeDown(ledger, () => false);
    throw error;
  }
}

/** The host as it is, and what is planned on it. */
interface Look {
  readonly facts: HostFacts;
  readonly plan: NetworkPlan;
  /** The packet filter, on its way. */
  readonly rules: Promise<string>;
}

/** Looks at the host where the lock is not held, so that what stands in the way may be released. */
async function lookUnlocked(
  ledger: Ledger,
  request: AttachRequest,
  flannel: FlannelEnv | undefined,
): Promise<Look> {
  try {
    return await lookAtHost(ledger, request, flannel);
  } catch (error) {
    // The bridge may still be that of containers that have ended.
    if (!ledger.exists()) throw error;
    await takeDownEnded(ledger);
    return await lookAtHost(ledger, request, flannel);
  }
}

/** Looks at the host and plans, before anything is changed. */
async function lookAtHost(
  ledger: Ledger,
  request: AttachRequest,
  flannel: FlannelEnv | undefined,
): Promise<Look> {
  const { settings, ip } = request;
  const rules = saveRules();
  // Awaited last; a failure before that must not count as unhandled.
  rules.catch(() => {});
  const facts = await readHostFacts(linksOf(settings));
  return { facts, plan: planOn(facts, ledger, settings, flannel, ip), rules };
}

/** Waits for, or takes down, ended containers whose name, address or ports are asked for again. */
async function releaseEnded(ledger: Ledger, request: AttachRequest): Promise<void> {
  const holds = (record: ContainerRecord) =>
    record.name === request.name || (request.ip !== undefined && record.address === request.ip) ||
    record.ports.some((port) => request.settings.publish.some((want) => claimMeets(port, want)));
  await awaitRelease(ledger, holds);
}

async function awaitRelease(
  ledger: Ledger,
  concerned: (record: ContainerRecord) => boolean,
): Promise<void> {
  const deadline = Date.now() + RELEASE_TIMEOUT_MS;
  const ended = (record: ContainerRecord) =>
    concerned(record) && (isBeingTakenDown(record) || isAbandoned(record));
  while (ledger.list().some(ended) && Date.now() < deadline) {
    if (ledger.list().some((record) => concerned(record) && isAbandoned(record))) {
      await takeDown(ledger, isAbandoned);
    } else await new Promise((resolve) => setTimeout(resolve, RELEASE_POLL_MS));
  }
}

function checkFree(ledger: Ledger, request: AttachRequest): void {
  if (request.name === undefined) return;
  const namesake = ledger.list().find((record) => record.name === request.name);
  if (namesake !== undefined) {
    throw new HpkError({
      what: `cannot name the container '${request.name}'`,
      why: `a container of that name exists (pid ${namesake.owner.pid})`,
      fix: "choose another name, or stop that one first",
    });
  }
}

/** Gives the container the ports of the host that are asked for; what that takes is loaded only then. */
async function claimPorts(
  ledger: Ledger,
  { settings }: AttachRequest,
  facts: HostFacts,
  rules: Promise<string>,
): Promise<ContainerRecord["ports"]> {
  if (settings.publish.length === 0) return [];
  const { claimPorts } = await import("./published_ports.ts");
  return claimPorts(ledger, settings.publish, { facts, rules: await rules });
}

/** Writes the record of a container that has rules of its own in the packet filter, and makes them. */
async function openOwnRules(ledger: Ledger, record: ContainerRecord): Promise<void> {
  const { writeWithRules } = await import("./published_ports.ts");
  await ledger.withLock(() => writeWithRules(ledger, record, record.ports));
}

function newRecord(
  ledger: Ledger,
  request: AttachRequest,
  plan: NetworkPlan,
  ports: ContainerRecord["ports"],
): ContainerRecord {
  const id = newContainerId();
  const { isolated, masquerade, allowImds } = request.settings;
  return {
    version: 1,
    id,
    name: request.name ?? id,
    kind: request.kind,
    phase: "starting",
    owner: thisProcess(),
    created: new Date().toISOString(),
    runtime: "apptainer",
    image: request.image,
    mode: plan.mode,
    datapath: request.datapath.name,
    subnet: formatCidr(plan.subnet),
    gateway: formatIpv4(plan.gateway),
    bridge: plan.bridge,
    mtu: plan.mtu,
    address: null,
    ports,
    policy: { isolated, masquerade, imds: allowImds },
    resources: resourcesOf(id, ledger.filesDirectory(id), request.datapath.name),
    errors: [],
  };
}

async function makeOwn(
  ledger: Ledger,
  request: AttachRequest,
  record: ContainerRecord,
  plan: NetworkPlan,
): Promise<Attachment> {
  const namespace = namespaceName(record.id);
  const { datapath } = request;
  const allocation = allocate(ledger, record, plan);
  const [address] = await allDone([
    allocation,
    datapath.makeLink({ id: record.id, namespace, plan, allocation }),
  ]);
  faultPoint("attach.linked");
  const interfaceAddress = `${formatIpv4(address)}/${plan.subnet.prefix}`;
  const ownInterface = [
    `link set dev eth0 address ${macOf(address)}`,
    `address add ${interfaceAddress} broadcast + dev eth0`,
    "link set dev eth0 up",
    `route add default via ${formatIpv4(plan.gateway)} dev eth0`,
  ];
  await ipBatch(
    ["link set dev lo up", ...(datapath.containerMakesInterface ? [] : ownInterface)],
    namespace,
  );
  faultPoint("attach.configured");
  const hostname = request.hostname ?? hostNameOf(record.name);
  const files = writeFiles(ledger, record, address, hostname, request.settings);
  faultPoint("attach.files");
  const attached: ContainerRecord = { ...record, address: formatIpv4(address) };
  return {
    ...files,
    record: attached,
    namespacePath: `${NAMESPACE_DIRECTORY}/${namespace}`,
    relay: datapath.access(record.id, address, plan.mtu),
    hostname,
    address: interfaceAddress,
    gateway: formatIpv4(plan.gateway),
  };
}

/**
 * Awaits all, also where one fails: nothing may still be in the making when what was made is taken
 * down again.
 */
async function allDone<T extends readonly unknown[]>(
  promises: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as unknown as T;
}

async function allocate(ledger: Ledger, record: ContainerRecord, plan: NetworkPlan): Promise<Ipv4> {
  const lease = record.resources.find((resource) => resource.kind === "lease")!;
  const request = { ...leaseRequest(ledger, record, lease), address: plan.address };
  try {
    return await allocateAddress(request);
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    if (error.failure === "exhausted") {
      // Ended containers whose network is being released may free one.
      await awaitRelease(ledger, (other) => other.id !== record.id);
      return await allocateAddress(request).catch((again) => {
        throw allocationFailure(ledger, plan, again);
      });
    }
    throw allocationFailure(ledger, plan, error);
  }
}

function allocationFailure(ledger: Ledger, plan: NetworkPlan, error: unknown): unknown {
  if (!(error instanceof AllocationError)) return error;
  const subnet = formatCidr(plan.subnet);
  if (error.failure === "exhausted") {
    return new HpkError({
      what: "cannot give the container an address",
      why: `every address of ${subnet} is in use`,
      fix: "stop a container (see hpktainer ps), or use a larger subnet",
    }, { cause: error });
  }
  if (error.failure === "taken" && plan.address !== undefined) {
    const address = formatIpv4(plan.address);
    const holder = ledger.list().find((record) => record.address === address);
    return new HpkError({
      what: `cannot give the container the address ${address}`,
      why: holder === undefined ? "it is in use" : `container '${holder.name}' has it`,
      fix: `choose another address in ${subnet}, or leave --ip out`,
    }, { cause: error });
  }
  return new HpkError({
    what: "cannot allocate an address",
    why: `host-local says: ${error.message}`,
    fix: "see 'hpktainer doctor'",
  }, { cause: error });
}
