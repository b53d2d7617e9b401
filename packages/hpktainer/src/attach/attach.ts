/**
 * Attaches a container to its network. Everything is in the ledger before it is created:
 *
 *   inspect the host ── plan
 *   lock ── monitor ── record the container ── bridge, forwarding ── name server ── unlock
 *   address from host-local, and at once namespace and link
 *   address, route and lo in the namespace ── resolv.conf, hosts ── firewall ── record the address
 */

import { claimMeets } from "../ports/pure/port_claims.ts";
import {
  type ContainerRecord,
  formatCidr,
  formatCidr6,
  formatIpv4,
  formatIpv6,
  hasOwnRules,
  hostNameOf,
  HpkError,
  type Ipv4,
  type Ipv6,
  localAddresses6,
  macOf,
  namespaceName,
  newContainerId,
  newRecord,
  resourcesOf,
  type Settings,
} from "@hpk/core";
import type { NetworkPlan } from "../network/pure/network_plan.ts";
import {
  faultPoint,
  type InterfaceSetup,
  Ledger,
  NAMESPACE_DIRECTORY,
  PROGRAMS,
  requireProgram,
  setUpInterfaces,
} from "@hpk/core/os";
import { allocate } from "./allocate.ts";
import { recordStart } from "../shared/events.ts";
import { writeFiles } from "../names/container_files.ts";
import { announce, serveNames, wantsNameServer } from "../names/host_names.ts";
import type { Datapath } from "../datapath/datapath.ts";
import type { ContainerNetwork } from "./pure/container_network.ts";
import { applyFirewall, ensureFirewall } from "../network/chains.ts";
import { ensureBridge } from "../network/host_network.ts";
import { hasCome, type Look, lookAtHost } from "../network/look_at_host.ts";
import { lookUnlocked } from "./look_unlocked.ts";
import { ensureMonitor } from "./monitor_start.ts";
import { awaitRelease, takeDown } from "./teardown.ts";
import type { Caller } from "../shared/pure/caller.ts";

/** A request to attach a container. */
export interface AttachRequest {
  /** The caller, which owns the container until it has a process of its own. */
  readonly caller: Caller;
  /** Whether all that the caller does afterwards is to become the container. */
  readonly becomesIt?: boolean;
  readonly settings: Settings;
  /** The requested address, as text. */
  readonly ip: string | undefined;
  /** The container's name; undefined for its id. */
  readonly name: string | undefined;
  readonly kind: ContainerRecord["kind"];
  readonly image: string;
  /** Host name in the container; undefined to derive it from the name. */
  readonly hostname: string | undefined;
  readonly datapath: Datapath;
  /** Name of the runtime that runs it. */
  readonly runtime: string;
  /** The id of a stored container, which its engine ends; undefined for a new one. */
  readonly id?: string;
}

/** A container's network, ready for its start. */
export interface Attachment extends ContainerNetwork {
  readonly record: ContainerRecord;
  /** A notice to the user about the network, as a sentence, if there is one. */
  readonly notice: string | undefined;
}

/** Programs that every start requires, besides the runtime. */
const NEEDED = [
  ...[PROGRAMS.ip, PROGRAMS.iptablesSave, PROGRAMS.iptablesRestore],
  ...[PROGRAMS.hostLocal, PROGRAMS.setsid],
];

/**
 * Attaches a container.
 *
 * @throws {HpkError} When that fails; nothing is left behind.
 */
export async function attach(ledger: Ledger, request: AttachRequest): Promise<Attachment> {
  for (const program of NEEDED) requireProgram(program);
  const generation = ledger.readHost()?.generation;
  // A caller other than this process is served by the monitor, which must not remove its own
  // ledger.
  const mayClear = request.becomesIt !== true;
  const look = await lookUnlocked(ledger, request, mayClear);
  faultPoint("attach.planned");
  const { name, ip, settings } = request;
  if (name !== undefined || ip !== undefined || settings.publish.length > 0) {
    await releaseEnded(ledger, request);
  }

  const looks = [look];
  let record: ContainerRecord | undefined;
  let names: Promise<ContainerRecord["names"]> | undefined;
  let isFirst = false;
  try {
    const planned = await ledger.withLock(async () => {
      // Another process may have created or removed the shared part since it was inspected.
      const current = stillHolds(ledger, look, generation)
        ? look
        : await lookAtHost(ledger, request);
      looks.push(current);
      const { facts, choice, plan, rules } = current;
      checkFree(ledger, request);
      const ports = await claimPorts(ledger, request, current);
      isFirst = ledger.readHost() === undefined;
      // Before the record, so that it is taken down whatever ends us from here on.
      const monitor = ensureMonitor(ledger);
      faultPoint("attach.monitored");
      record = recordOf(ledger, request, plan, ports);
      ledger.write(record);
      faultPoint("attach.recorded");
      // ensureBridge() begins by recording what is changed, including the firewall.
      const needs = {
        ownRules: hasOwnRules(record),
        nameServer: wantsNameServer(settings),
        linger: settings.linger,
        isAutomatic: choice.isAutomatic,
      };
      const bridge = ensureBridge(ledger, plan, facts, needs);
      // The name server needs only its address, and takes time to start.
      names = bridge.then(() => learnNames(ledger, settings), () => "none");
      // Nobody else can have changed our chains yet: what we read is still valid.
      const firewall = isFirst ? rules.then((read) => applyFirewall(ledger, read)) : undefined;
      const [, wasMade] = await allDone([monitor, bridge, firewall ?? Promise.resolve()]);
      await ensureIpv6(ledger, current);
      faultPoint("attach.shared");
      const rest = isFirst ? undefined : rules;
      return { record, plan, names, wasMade, notice: choice.change, rules: rest };
    });
    const attachment = await makeOwn(ledger, request, planned);
    if (hasOwnRules(planned.record)) await openOwnRules(ledger, attachment.record);
    else {
      const rules = await planned.rules;
      if (rules !== undefined) await ensureFirewall(ledger, rules, planned.wasMade);
      ledger.write(attachment.record);
    }
    if (request.becomesIt) recordStart(attachment.record);
    faultPoint("attach.done");
    return { ...attachment, notice: planned.notice };
  } catch (error) {
    await names;
    const id = record?.id;
    // What was created for it alone is not kept for others.
    const last = { lingers: !isFirst };
    if (id !== undefined) await takeDown(ledger, (candidate) => candidate.id === id, last);
    else if (ledger.list().length === 0) await takeDown(ledger, () => false);
    throw error;
  } finally {
    for (const { rules } of looks) await hasCome(rules);
  }
}

/**
 * Whether the state of the host read without the lock is still valid.
 *
 * @param generation The earlier generation of the shared part; undefined if there was none.
 */
function stillHolds(
  ledger: Ledger,
  { facts, plan }: Look,
  generation: string | null | undefined,
): boolean {
  if (generation === null) return false;
  // A bridge without a ledger may be that of a container that started and ended meanwhile.
  const hasBridge = facts.links.some(({ name }) => name === plan.bridge);
  if (generation === undefined && hasBridge) return false;
  return ledger.readHost()?.generation === generation;
}

/** Creates what containers share for IPv6, if it is wanted. */
async function ensureIpv6(ledger: Ledger, { plan, ipv6 }: Look): Promise<void> {
  if (plan.ipv6 === undefined || ipv6 === undefined) return;
  const { ensureNetwork6 } = await import("../network/host_network6.ts");
  await ensureNetwork6(ledger, plan, plan.ipv6, await ipv6.rules);
}

/** Waits for, or takes down, ended containers whose name is requested again. */
export async function releaseName(ledger: Ledger, name: string): Promise<void> {
  await awaitRelease(ledger, (record) => record.name === name);
}

/** Waits for, or takes down, ended containers whose name, address or ports are requested again. */
async function releaseEnded(ledger: Ledger, request: AttachRequest): Promise<void> {
  const holds = (record: ContainerRecord) =>
    record.name === request.name || (request.ip !== undefined && record.address === request.ip) ||
    record.ports.some((port) => request.settings.publish.some((want) => claimMeets(port, want)));
  await awaitRelease(ledger, holds);
}

/**
 * Checks that no container in the ledger has the name.
 *
 * @throws {HpkError} When one has it.
 */
export function checkFree(ledger: Ledger, request: Pick<AttachRequest, "name">): void {
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

/** Assigns the requested host ports to the container; the code is loaded only then. */
async function claimPorts(
  ledger: Ledger,
  { settings }: AttachRequest,
  { facts, plan, rules, ipv6 }: Look,
): Promise<ContainerRecord["ports"]> {
  if (settings.publish.length === 0) return [];
  const { claimPorts } = await import("../ports/port_rules.ts");
  return claimPorts(ledger, settings.publish, {
    facts,
    rules: await rules,
    addresses6: ipv6?.routes && localAddresses6(ipv6.routes),
    gateway: formatIpv4(plan.gateway),
  });
}

/** Writes the record of a container that has its own packet filter rules, and adds the rules. */
async function openOwnRules(ledger: Ledger, record: ContainerRecord): Promise<void> {
  const { writeWithRules } = await import("../ports/port_rules.ts");
  await ledger.withLock(() => writeWithRules(ledger, record, record.ports));
}

function recordOf(
  ledger: Ledger,
  request: AttachRequest,
  plan: NetworkPlan,
  ports: ContainerRecord["ports"],
): ContainerRecord {
  const { caller, kind, image, runtime } = request;
  const id = request.id ?? newContainerId();
  const { isolated, masquerade, allowImds } = request.settings;
  return newRecord({
    ...{ id, name: request.name ?? id, kind, owner: caller.process, runtime, image },
    created: new Date().toISOString(),
    mode: plan.mode,
    datapath: request.datapath.name,
    subnet: formatCidr(plan.subnet),
    gateway: formatIpv4(plan.gateway),
    bridge: plan.bridge,
    mtu: plan.mtu,
    subnet6: plan.ipv6 === undefined ? null : formatCidr6(plan.ipv6.subnet),
    gateway6: plan.ipv6 === undefined ? null : formatIpv6(plan.ipv6.gateway),
    ports,
    policy: { isolated, masquerade, imds: allowImds },
    resources: [
      ...resourcesOf(id, ledger.filesDirectory(id), request.datapath.name),
      ...(request.id === undefined ? [] : [{ kind: "container" as const, runtime, id }]),
    ],
  });
}

/** A recorded container, for which the shared part exists. */
interface PlannedContainer {
  readonly record: ContainerRecord;
  readonly plan: NetworkPlan;
  /** How it resolves names, once known; it does not fail. */
  readonly names: Promise<ContainerRecord["names"]>;
}

async function makeOwn(
  ledger: Ledger,
  request: AttachRequest,
  { record, plan, names }: PlannedContainer,
): Promise<Omit<Attachment, "notice">> {
  const namespace = namespaceName(record.id);
  const { datapath } = request;
  const allocation = allocate(ledger, record, plan);
  const [{ ipv4: address, ipv6: address6 }] = await allDone([
    allocation,
    datapath.makeLink({
      id: record.id,
      namespace,
      plan,
      address: async () => (await allocation).ipv4,
    }),
  ]);
  faultPoint("attach.linked");
  setUpInterfaces(
    `${NAMESPACE_DIRECTORY}/${namespace}`,
    datapath.containerMakesInterface ? undefined : setupOf(plan, address, address6),
  );
  faultPoint("attach.configured");
  const hostname = request.hostname ?? hostNameOf(record.name);
  const attached: ContainerRecord = {
    ...record,
    phase: request.becomesIt ? "running" : record.phase,
    address: formatIpv4(address),
    address6: address6 === undefined ? null : formatIpv6(address6),
    names: await names,
  };
  const files = writeFiles(ledger, attached, hostname, request.settings);
  if (request.settings.names) announce(ledger, attached);
  faultPoint("attach.files");
  return {
    ...files,
    record: attached,
    namespacePath: `${NAMESPACE_DIRECTORY}/${namespace}`,
    relay: datapath.access(record.id, address, plan.mtu),
    hostname,
    address: `${formatIpv4(address)}/${plan.subnet.prefix}`,
    gateway: formatIpv4(plan.gateway),
    address6: address6 === undefined || plan.ipv6 === undefined
      ? undefined
      : `${formatIpv6(address6)}/${plan.ipv6.subnet.prefix}`,
    gateway6: record.gateway6 ?? undefined,
  };
}

/** The configuration of a container's interface. */
function setupOf(plan: NetworkPlan, address: Ipv4, address6: Ipv6 | undefined): InterfaceSetup {
  const { ipv6 } = plan;
  return {
    mac: macOf(address),
    address: { address, cidr: plan.subnet },
    gateway: plan.gateway,
    ipv6: ipv6 === undefined || address6 === undefined
      ? undefined
      : { address: { address: address6, cidr: ipv6.subnet }, gateway: ipv6.gateway },
  };
}

/** How the container resolves names: by the name server, which is started if possible. */
async function learnNames(ledger: Ledger, settings: Settings): Promise<ContainerRecord["names"]> {
  if (!settings.names) return "none";
  return wantsNameServer(settings) && typeof await serveNames(ledger) === "number"
    ? "server"
    : "hosts";
}

/**
 * Awaits all, even if one fails: nothing may still be in progress when the rest is taken down.
 */
async function allDone<T extends readonly unknown[]>(
  promises: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as unknown as T;
}
