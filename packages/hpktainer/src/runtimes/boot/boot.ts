/**
 * Boots an instance: systemd, or another init, as its first process.
 *
 *   network of its own: attach          host's network: record ── look at the host
 *   control groups ── files to bind ── Apptainer, in control groups of its own
 *   record its first process ── wait until it is up ── host's network: look again, compare
 */

import {
  type BootReport,
  type CgroupMount,
  chooseMasks,
  type ContainerRecord,
  formatHostDifference,
  hostSettings,
  HpkError,
  newContainerId,
  newRecord,
  type Settings,
} from "@hpk/core";
import { wantedMode } from "../../network/pure/network_plan.ts";
import {
  faultPoint,
  identify,
  isFile,
  Ledger,
  listDirectory,
  makeCgroup,
  missingRootCapabilities,
  PROGRAMS,
  readCgroupMounts,
  readFileIfExists,
  readPidFile,
  requireProgram,
  runOrThrow,
  writeFileAtomic,
} from "@hpk/core/os";
import { APPTAINER, apptainerVariables, requireApptainer } from "../apptainer/apptainer.ts";
import { absolutePath, type Caller } from "../../shared/pure/caller.ts";
import type { Attachment } from "../../attach/attach.ts";
import { watchHost } from "../../network/host_watch.ts";
import { awaitBoot } from "./await_boot.ts";
import { runChild } from "../../shared/child.ts";
import { recordStart } from "../../shared/events.ts";
import { readConfiguration } from "../../settings/configuration.ts";
import { ensureMonitor } from "../../attach/monitor_start.ts";
import { environmentFor } from "../../attach/pure/container_network.ts";
import { commandInNamespace } from "../apptainer/pure/apptainer_command.ts";
import type { ContainerInvocation } from "../../arguments/arguments.ts";
import {
  bootArguments,
  bootConfiguration,
  bootEnvironment,
  type BootFiles,
  commandInHostNetwork,
  inOwnCgroups,
  RESOLVER_SNIPPET,
  SUPERVISOR_GROUP,
} from "./pure/boot_command.ts";
import type { BootOptions } from "../../arguments/boot_options.ts";
import {
  attachAsAsked,
  checkImage,
  checkWithoutNetwork,
  pidFileOf,
  requireRootForNetwork,
} from "../apptainer/start.ts";
import { takeDown, takeDownEnded } from "../../attach/teardown.ts";

/** A container that is ready to be booted. */
interface Prepared {
  readonly record: ContainerRecord;
  /** Its network; undefined in the host's. */
  readonly attachment: Attachment | undefined;
  readonly pidFile: string;
}

/** From util-linux, like setsid. */
const UNSHARE = { ...PROGRAMS.setsid, name: "unshare" };

/**
 * Boots an instance and waits until it is up.
 *
 * @param tell Receives notices to the user: a failed unit, a change of the host.
 * @return Apptainer's exit status.
 * @throws {HpkError} When it cannot be booted; nothing is left behind.
 */
export async function bootInstance(
  caller: Caller,
  invocation: ContainerInvocation,
  boot: BootOptions,
  tell: (line: string) => void,
): Promise<number> {
  const { settings } = readConfiguration(caller, invocation.network.settings);
  const mode = wantedMode(settings);
  const masks = chooseMasks({ allow: boot.allow, hostNetwork: mode === "host" });
  checkImage(caller, invocation.image);
  if (mode === "none") {
    throw new HpkError({
      what: "cannot boot a container with the network 'none'",
      why: "hpktainer boots containers in their own network or the host's",
      fix: "leave --network none out, or run apptainer itself",
    });
  }
  if (mode === "host") checkWithoutNetwork(invocation, mode);
  requireRootForNetwork(caller);
  const unshare = requireProgram(UNSHARE);
  const ledger = new Ledger();
  const prepared = mode === "host"
    ? await recordInHostNetwork(ledger, caller, invocation)
    : await attachWithCgroup(ledger, caller, invocation, settings);
  const notice = prepared.attachment?.notice;
  if (notice !== undefined) tell(notice);
  try {
    const args = await prepareStart(ledger, caller, prepared, invocation, boot, masks);
    const mounts = readCgroupMounts();
    const environment = environmentOf(caller, invocation.image, mounts, prepared.attachment);
    const group = cgroupOf(prepared.record);
    makeCgroup(mounts, `${group}/${SUPERVISOR_GROUP}`);
    faultPoint("boot.cgroups");
    const apptainer = requireApptainer(caller);
    const [shell, ...words] = [...inOwnCgroups(mounts, group, unshare), apptainer, ...args];
    const launch: Launch = {
      apptainer,
      environment,
      run: () => runChild(shell!, words, { env: environment, clearEnv: true }),
    };
    const start = () => startAndWait(ledger, prepared, invocation, boot, launch);
    const { result, differences } = mode === "host"
      ? await watchHost(ledger, start, tell)
      : { result: await start(), differences: [] };
    if (result.booted === undefined) {
      await release(ledger, prepared.record);
      return result.code;
    }
    const report: BootReport = { ...result.booted, differences };
    await update(ledger, prepared.record, { boot: report });
    faultPoint("boot.reported");
    tellReport(prepared.record.name, report, boot, tell);
    return result.code;
  } catch (error) {
    await release(ledger, prepared.record);
    throw error;
  }
}

async function attachWithCgroup(
  ledger: Ledger,
  caller: Caller,
  invocation: ContainerInvocation,
  settings: Settings,
): Promise<Prepared> {
  const attachment = await attachAsAsked(ledger, caller, invocation, settings);
  const record = withCgroup(attachment.record);
  ledger.write(record);
  faultPoint("boot.recorded");
  return { record, attachment, pidFile: pidFileOf(caller, invocation) ?? attachment.pidFile };
}

/** Records a container that owns only files and control groups. */
async function recordInHostNetwork(
  ledger: Ledger,
  caller: Caller,
  invocation: ContainerInvocation,
): Promise<Prepared> {
  const id = newContainerId();
  const name = invocation.network.name!;
  if (ledger.exists()) await takeDownEnded(ledger);
  const directory = ledger.filesDirectory(id);
  const record = withCgroup(newRecord({
    ...{ id, name, kind: "instance", owner: caller.process, runtime: APPTAINER, mode: "host" },
    created: new Date().toISOString(),
    image: invocation.image,
    resources: [{ kind: "directory", path: directory }],
  }));
  await ledger.withLock(async () => {
    const namesake = ledger.list().find((other) => other.name === name);
    if (namesake !== undefined) {
      throw new HpkError({
        what: `cannot name the container '${name}'`,
        why: `a container of that name exists (pid ${namesake.owner.pid})`,
        fix: "choose another name, or stop that one first",
      });
    }
    await ensureMonitor(ledger);
    ledger.write(record);
  });
  faultPoint("boot.recorded");
  ledger.makeFilesDirectory(id);
  return {
    record,
    attachment: undefined,
    pidFile: pidFileOf(caller, invocation) ?? `${directory}/pid`,
  };
}

function withCgroup(record: ContainerRecord): ContainerRecord {
  const resources = [...record.resources, { kind: "cgroup", name: cgroupOf(record) } as const];
  return { ...record, resources };
}

/** Path of a container's control group below the root of each hierarchy. */
function cgroupOf({ id }: Pick<ContainerRecord, "id">): string {
  return `hpktainer/${id}`;
}

/** Writes the files to bind, and builds the arguments for Apptainer. */
async function prepareStart(
  ledger: Ledger,
  caller: Caller,
  { record, attachment, pidFile }: Prepared,
  invocation: ContainerInvocation,
  boot: BootOptions,
  masks: ReturnType<typeof chooseMasks>,
): Promise<string[]> {
  const directory = ledger.filesDirectory(record.id);
  const mask = `${directory}/masked`;
  writeFileAtomic(mask, "");
  const snippet = `${directory}/tmpfiles.conf`;
  writeFileAtomic(snippet, RESOLVER_SNIPPET);
  const configuration = await ownConfiguration(caller, boot, `${directory}/apptainer.conf`);
  faultPoint("boot.files");
  const files: BootFiles = {
    mask,
    resolver: { snippet, file: attachment?.resolvConf ?? "/etc/resolv.conf" },
    hostSettings: hostSettings(
      (path) => listDirectory(path) ?? [],
      Deno.readTextFileSync("/proc/self/mountinfo"),
    ),
    netSettingsWritable: attachment !== undefined ||
      !masks.some(({ unit }) => unit === "systemd-sysctl.service"),
    hostNetwork: attachment === undefined
      ? {
        // This process's, which outlives the start: process 1 may not be visible.
        namespacePath: `/proc/${Deno.pid}/ns/net`,
        pidFile: invocation.pidFile === undefined ? pidFile : undefined,
      }
      : undefined,
  };
  const has = (path: string): boolean => isFile(absolutePath(caller, `${invocation.image}${path}`));
  const missing = missingRootCapabilities();
  const options = bootArguments(boot, files, masks, missing, has);
  const configured: ContainerInvocation = {
    ...invocation,
    globals: [
      ...invocation.globals,
      ...(configuration === undefined ? [] : ["--config", configuration]),
    ],
    options: [...invocation.options, ...options],
  };
  return attachment === undefined
    ? commandInHostNetwork(configured)
    : commandInNamespace(configured, attachment);
}

/** The environment of the container's first process, and of Apptainer. */
function environmentOf(
  caller: Caller,
  image: string,
  mounts: readonly CgroupMount[],
  attachment: Attachment | undefined,
): Record<string, string> {
  // Without Apptainer's prefix, which is for its own scripts: they do not run in a boot.
  const network = attachment === undefined ? {} : environmentFor(attachment);
  const wanted = bootEnvironment(caller.environment, image, mounts, network);
  return apptainerVariables(
    { uid: caller.uid, process: caller.process, environment: wanted },
    wanted,
  );
}

/** A configuration for the boot, if the host's does not suit. */
async function ownConfiguration(
  caller: Caller,
  boot: BootOptions,
  path: string,
): Promise<string | undefined> {
  const source = boot.configuration ?? await usualConfiguration(caller);
  const text = source === undefined ? undefined : readFileIfExists(absolutePath(caller, source));
  const wanted = text === undefined ? undefined : bootConfiguration(text);
  if (wanted === undefined) return undefined;
  writeFileAtomic(path, wanted);
  return path;
}

/** Path of Apptainer's configuration (`apptainer buildcfg`). */
async function usualConfiguration(caller: Caller): Promise<string | undefined> {
  const settings = await runOrThrow(requireApptainer(caller), ["buildcfg"]);
  return /^APPTAINER_CONF_FILE=(.+)$/m.exec(settings)?.[1];
}

/** How to run Apptainer. */
interface Launch {
  readonly apptainer: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Starts the instance. @return The exit status. */
  readonly run: () => Promise<number>;
}

interface Started {
  readonly code: number;
  /** The result of its boot; undefined if it could not be started. */
  readonly booted: Pick<BootReport, "state" | "failedUnits"> | undefined;
}

async function startAndWait(
  ledger: Ledger,
  { record, pidFile }: Prepared,
  invocation: ContainerInvocation,
  boot: BootOptions,
  { apptainer, environment, run }: Launch,
): Promise<Started> {
  const code = await run();
  faultPoint("boot.started");
  const pid = code === 0 ? readPidFile(pidFile) : undefined;
  const owner = pid === undefined ? undefined : identify(pid);
  if (owner === undefined) return { code, booted: undefined };
  await update(ledger, record, { phase: "running", owner });
  recordStart(record);
  faultPoint("boot.running");
  const { name } = record;
  const { globals } = invocation;
  const booted = await awaitBoot({
    ...{ apptainer, environment, name, owner, globals, timeoutMs: boot.timeout * 1000 },
  });
  return { code, booted };
}

/** Changes the present record: its ports may have changed during the boot. */
async function update(
  ledger: Ledger,
  { id }: ContainerRecord,
  change: Partial<ContainerRecord>,
): Promise<void> {
  await ledger.withLock(() => {
    const current = ledger.list().find((record) => record.id === id);
    if (current !== undefined) ledger.write({ ...current, ...change });
  });
}

async function release(ledger: Ledger, record: ContainerRecord): Promise<void> {
  await takeDown(ledger, ({ id }) => id === record.id);
}

function tellReport(
  name: string,
  { state, failedUnits, differences }: BootReport,
  boot: BootOptions,
  tell: (line: string) => void,
): void {
  const see = `see 'hpktainer exec --pwd / instance://${name} systemctl status'`;
  if (state === "unknown") {
    tell(`'${name}' runs, but its first process is not systemd: whether it is up is not known`);
  } else if (state === "starting") {
    tell(`'${name}' runs, but is not up after ${boot.timeout} s; ${see}`);
  } else if (state !== "running") {
    const failed = failedUnits.length === 0 ? "" : `, failed: ${failedUnits.join(", ")}`;
    tell(`'${name}' runs, but is ${state}${failed}; ${see}`);
  }
  for (const difference of differences) {
    tell(`the boot of '${name}' changed the host: ${formatHostDifference(difference)}`);
  }
}
