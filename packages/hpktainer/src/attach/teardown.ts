/**
 * Takes containers down: removes what the ledger lists for them, as far as it still exists, kind by
 * kind: processes first, then names and ports, links and namespaces, addresses and files. Errors
 * are collected; after one, the rest is still removed.
 */

import {
  type ContainerRecord,
  messageOf,
  NO_PROCESS,
  parseCidr,
  parseIpv4,
  type ProcessId,
  RELAY_DIRECTORY,
  type Resource,
} from "@hpk/core";
import { SystemCallError, waitReadable, watchDirectory } from "@hpk/core/ffi";
import type { HostLocalRequest } from "./pure/host_local_config.ts";
import {
  faultPoint,
  isAlive,
  Ledger,
  NAMESPACE_DIRECTORY,
  pause,
  processesInNamespace,
  readUptime,
  removeCgroup,
  removeIfExists,
  removeLinks,
  removeNamespace,
  removeRelaySession,
  thisProcess,
} from "@hpk/core/os";
import { recordEvents } from "../shared/events.ts";
import { forgetAddresses, releaseAddress } from "./host_local.ts";
import { removeHostNetwork } from "../network/host_network.ts";
import { lingerLeft } from "../network/pure/linger.ts";
import { hasMonitor } from "./monitor_start.ts";

/** A container that was taken down. */
export interface Reclaimed {
  readonly record: ContainerRecord;
  /** Error messages; if there are any, the container stays in the ledger. */
  readonly errors: readonly string[];
}

/** The result of a tear-down. */
export interface TearDown {
  readonly reclaimed: readonly Reclaimed[];
  /** Errors with what containers share. */
  readonly hostErrors: readonly string[];
  /** Whether nothing is left, the ledger included. */
  readonly empty: boolean;
  /** Whether another process is taking containers down. */
  readonly pending: boolean;
  /** How long the shared part stays without a container, in ms; 0 if it does not. */
  readonly lingerMs: number;
}

/** How to finish after the last container. */
export interface LastSteps {
  /**
   * Whether the shared part may linger for the next container, as long as the last start requested.
   */
  readonly lingers?: boolean;
  /** Called under the ledger's lock when nothing is left. */
  readonly whenEmpty?: () => void;
}

/**
 * Takes down every container that meets a condition, then the shared part if none is left.
 *
 * @param wanted Whether to take a container down.
 */
export async function takeDown(
  ledger: Ledger,
  wanted: (record: ContainerRecord) => boolean,
  last: LastSteps = {},
): Promise<TearDown> {
  const claimed = await ledger.withLock(async () => {
    const records = ledger.list();
    const claims = records.filter(wanted);
    if (claims.length === 0) return await finish(ledger, records, [], last);
    // The claim makes us the owner: other processes leave these alone while we live.
    await recordEnds(claims);
    for (const record of claims) {
      ledger.write({ ...record, phase: "stopping", owner: thisProcess() });
    }
    return claims;
  });
  if (!Array.isArray(claimed)) return claimed;
  faultPoint("teardown.claimed");
  const reclaimed = await removeResources(ledger, claimed);
  return await ledger.withLock(async () => {
    for (const { record, errors } of reclaimed) {
      if (errors.length === 0) ledger.remove(record.id);
      else ledger.write({ ...record, phase: "stopping", owner: NO_PROCESS, errors });
    }
    const released = reclaimed.filter(({ errors }) => errors.length === 0);
    recordEvents("released", released.map(({ record }) => record));
    faultPoint("teardown.forgotten");
    return await finish(ledger, ledger.list(), reclaimed, last);
  });
}

/** Records that containers have ended, with their exit status if a runtime keeps it. */
async function recordEnds(claims: readonly ContainerRecord[]): Promise<void> {
  const isKept = ({ resources }: ContainerRecord) =>
    resources.some(({ kind }) => kind === "container");
  // Others were claimed before, by a process that died, or never ran.
  const ended = claims.filter(({ phase }) => phase === "running");
  const store = ended.some(isKept) ? await import("../containers/store.ts") : undefined;
  const statusOf = (record: ContainerRecord) =>
    isKept(record) ? store?.readExitCode(record.id) : undefined;
  recordEvents("ended", ended, statusOf);
}

/**
 * Removes the shared part, if no container is left and it must not linger. Call it under the lock.
 */
async function finish(
  ledger: Ledger,
  records: readonly ContainerRecord[],
  reclaimed: readonly Reclaimed[],
  { lingers = true, whenEmpty }: LastSteps,
): Promise<TearDown> {
  const rest = { reclaimed, hostErrors: [], empty: false, pending: false, lingerMs: 0 };
  if (records.length > 0) {
    const hostErrors = await retireUnused(ledger, records);
    return { ...rest, hostErrors, pending: records.some(isBeingTakenDown) };
  }
  const lingerMs = lingers ? linger(ledger, reclaimed.length > 0) : 0;
  if (lingerMs > 0) return { ...rest, lingerMs };
  const hostErrors = await removeHostNetwork(ledger);
  const empty = hostErrors.length === 0;
  if (empty) whenEmpty?.();
  return { ...rest, hostErrors, empty };
}

/**
 * Lets the shared part linger for the next container. That needs a monitor, which removes it.
 *
 * @param begins Whether the last container has just ended.
 * @return How long it stays, in ms; 0 if it does not.
 */
function linger(ledger: Ledger, begins: boolean): number {
  const host = ledger.readHost();
  if (host === undefined || host.linger === 0 || !hasMonitor(ledger)) return 0;
  const now = readUptime();
  const lingering = begins ? { ...host, emptySince: now } : host;
  const left = lingerLeft(lingering, now);
  if (begins && left > 0) ledger.writeHost(lingering);
  faultPoint("teardown.lingers");
  return left;
}

/** Removes the rest of networks that no container uses any more. */
async function retireUnused(
  ledger: Ledger,
  records: readonly ContainerRecord[],
): Promise<string[]> {
  const host = ledger.readHost();
  if (host === undefined) return [];
  if (host.networks.length < 2 && (host.ipv6?.networks.length ?? 0) < 2) return [];
  const { retireNetworks } = await import("../network/retired_networks.ts");
  return await retireNetworks(ledger, host, records);
}

/** How long to wait for what another process is taking down, in ms. */
const SETTLE_TIMEOUT_MS = 10_000;
const SETTLE_POLL_MS = 20;

/**
 * Takes down every container whose owner is gone, and waits for those that another process, such as
 * the monitor, is taking down: then everything that has ended is released.
 */
export async function takeDownEnded(ledger: Ledger, last: LastSteps = {}): Promise<TearDown> {
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  let result = await takeDown(ledger, isAbandoned, last);
  const reclaimed = [...result.reclaimed];
  while (result.pending && Date.now() < deadline) {
    await recordsChange(ledger, SETTLE_POLL_MS);
    result = await takeDown(ledger, isAbandoned, last);
    reclaimed.push(...result.reclaimed);
  }
  return { ...result, reclaimed };
}

/** Whether a container's owner is gone, so that it can be taken down. */
export function isAbandoned(record: ContainerRecord): boolean {
  return !isAlive(record.owner);
}

/** Whether a process is taking a container down right now. */
function isBeingTakenDown(record: ContainerRecord): boolean {
  return record.phase === "stopping" && isAlive(record.owner);
}

/** Takes down what the monitor has created for a process without answering it. */
export async function releaseOwn({ pid, startTime }: ProcessId): Promise<void> {
  await takeDown(
    new Ledger(),
    ({ owner }) => owner.pid === pid && owner.startTime === startTime,
  );
}

/** How long to wait for what an ended container still holds, in ms. */
const RELEASE_TIMEOUT_MS = 10_000;
const RELEASE_POLL_MS = 20;

/**
 * Waits for, or takes down, ended containers that meet a condition; gives up after a bounded time.
 */
export async function awaitRelease(
  ledger: Ledger,
  concerned: (record: ContainerRecord) => boolean,
): Promise<void> {
  const deadline = Date.now() + RELEASE_TIMEOUT_MS;
  const ended = (record: ContainerRecord) =>
    concerned(record) && (isBeingTakenDown(record) || isAbandoned(record));
  while (ledger.list().some(ended) && Date.now() < deadline) {
    if (ledger.list().some((record) => concerned(record) && isAbandoned(record))) {
      await takeDown(ledger, isAbandoned);
    } else await recordsChange(ledger, RELEASE_POLL_MS);
  }
}

/** Waits until a record of the ledger changes, for at most a time in ms. */
async function recordsChange(ledger: Ledger, timeoutMs: number): Promise<void> {
  try {
    using watch = watchDirectory(ledger.recordsDirectory);
    waitReadable([watch.fd], timeoutMs);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    // The ledger has just been removed, or the limit on watches is reached.
    await pause(timeoutMs);
  }
}

async function removeResources(
  ledger: Ledger,
  records: readonly ContainerRecord[],
): Promise<Reclaimed[]> {
  const errors = new Map(records.map((record) => [record.id, [] as string[]]));
  const note = (id: string, found: readonly string[]) => errors.get(id)!.push(...found);
  const of = <K extends Resource["kind"]>(record: ContainerRecord, kind: K) =>
    record.resources.filter((resource): resource is Extract<Resource, { kind: K }> =>
      resource.kind === kind
    );

  for (const record of records) {
    // An instance whose start was interrupted may run although its record is incomplete.
    if (record.kind === "instance" && record.phase !== "running") {
      for (const { name } of of(record, "namespace")) endProcesses(name);
    }
  }
  for (const record of records) {
    for (const { name } of of(record, "cgroup")) {
      const graceMs = record.phase === "running" ? SUPERVISOR_GRACE_MS : 0;
      note(record.id, await errorsOf(() => removeCgroup(name, graceMs)));
    }
    for (const { runtime, id } of of(record, "container")) {
      note(
        record.id,
        await errorsOf(async () =>
          (await import("../containers/take_down.ts")).takeDownContainer(runtime, id)
        ),
      );
    }
  }
  faultPoint("teardown.processes");
  // The name server must not give out the address of an ended container.
  for (const { id } of records) note(id, await errorsOf(() => ledger.writeNames(id, "")));
  faultPoint("teardown.names");
  if (ledger.readHost()?.ownRules === true) {
    const { closePorts } = await import("../ports/port_rules.ts");
    const found = await errorsOf(() => closePorts(ledger, records));
    for (const record of records) note(record.id, found);
    faultPoint("teardown.ports");
  }
  for (const record of records) {
    for (const { id } of of(record, "relay")) {
      note(record.id, await errorsOf(() => removeRelaySession(RELAY_DIRECTORY, id)));
    }
  }
  faultPoint("teardown.relays");
  const links = records.flatMap((record) =>
    of(record, "link").map(({ name }) => ({ id: record.id, name }))
  );
  const errorsOfLink = errorsOfLinks(links.map(({ name }) => name));
  for (const { id, name } of links) note(id, errorsOfLink(name));
  for (const record of records) {
    for (const { name } of of(record, "namespace")) {
      note(record.id, await errorsOf(() => removeNamespace(name)));
    }
  }
  faultPoint("teardown.links");
  await Promise.all(records.map(async (record) => {
    for (const lease of of(record, "lease")) {
      note(record.id, await errorsOf(() => releaseLease(ledger, record, lease)));
    }
    for (const directory of of(record, "directory")) {
      note(record.id, await errorsOf(() => removeIfExists(directory.path)));
    }
  }));
  faultPoint("teardown.leases");
  return records.map((record) => ({ record, errors: errors.get(record.id)! }));
}

/** Releases a container's addresses; host-local finds those that the record does not have. */
async function releaseLease(
  ledger: Ledger,
  record: ContainerRecord,
  lease: Extract<Resource, { kind: "lease" }>,
): Promise<void> {
  const request = leaseRequest(ledger, record, lease);
  if (record.address === null) return await releaseAddress(request);
  const { address, address6 } = record;
  forgetAddresses(request, address6 === null ? [address] : [address, address6]);
}

/** The request to host-local for a container. */
export function leaseRequest(
  ledger: Ledger,
  record: ContainerRecord,
  lease: Extract<Resource, { kind: "lease" }>,
): HostLocalRequest {
  return {
    network: lease.network,
    subnet: parseCidr(record.subnet)!,
    gateway: parseIpv4(record.gateway)!,
    dataDir: ledger.leasesDirectory,
    id: lease.id,
    address: undefined,
    // host-local releases by the container's id.
    ipv6: undefined,
  };
}

/**
 * How long Apptainer's own process may take to end after its container, in ms; it still removes the
 * instance from its list.
 */
const SUPERVISOR_GRACE_MS = 3_000;

function endProcesses(namespace: string): void {
  for (const pid of processesInNamespace(`${NAMESPACE_DIRECTORY}/${namespace}`)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Deletes links. @return The error messages of each. */
function errorsOfLinks(names: readonly string[]): (name: string) => string[] {
  try {
    const errors = removeLinks(names);
    return (name) => [errors.get(name)?.message ?? []].flat();
  } catch (error) {
    return () => [String(error)];
  }
}

async function errorsOf(remove: () => Promise<void> | void): Promise<string[]> {
  try {
    await remove();
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}
