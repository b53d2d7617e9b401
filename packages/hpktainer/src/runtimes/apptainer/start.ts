import { HOST_INI_PATH, HpkError, requireRoot, type Settings } from "@hpk/core";
import { wantedMode } from "../../network/pure/network_plan.ts";
import { faultPoint, identify, Ledger, readFileIfExists, readPidFile } from "@hpk/core/os";
import { APPTAINER, apptainerVariables, becomeApptainer, requireApptainer } from "./apptainer.ts";
import { attach, type Attachment } from "../../attach/attach.ts";
import { readConfiguration } from "../../settings/configuration.ts";
import { recordStart } from "../../shared/events.ts";
import { datapathFor } from "../../datapath/choose.ts";
import type { ContainerInvocation } from "../../arguments/arguments.ts";
import {
  apptainerEnvironment,
  commandInNamespace,
  commandWithoutNetwork,
} from "./pure/apptainer_command.ts";
import { absolutePath, type Caller } from "../../shared/pure/caller.ts";
import { runChild } from "../../shared/child.ts";
import { takeDown } from "../../attach/teardown.ts";

/**
 * Starts a container in its own network.
 *
 * A command in the foreground replaces this process: its exit status, signals, streams and terminal
 * are Apptainer's own, and the monitor releases the network when it ends. An instance continues in
 * the background, so its start is a child process that we wait for.
 *
 * @param tell Receives notices to the user about the container's network.
 * @return The exit status of an instance's start.
 * @throws {HpkError} When the container cannot be started; nothing is left behind.
 */
export async function startContainer(
  caller: Caller,
  invocation: ContainerInvocation,
  tell: (line: string) => void,
): Promise<number> {
  const { settings } = readConfiguration(caller, invocation.network.settings);
  checkImage(caller, invocation.image);
  const mode = wantedMode(settings);
  if (mode === "host" || mode === "none") {
    checkWithoutNetwork(invocation, mode);
    const args = commandWithoutNetwork(invocation, mode);
    return becomeApptainer(caller, args, apptainerVariables(caller, {}));
  }
  requireRootForNetwork(caller);
  const ledger = new Ledger();
  const isInstance = invocation.verb.startsWith("instance");
  const attachment = await attachAsAsked(ledger, caller, invocation, settings);
  if (attachment.notice !== undefined) tell(attachment.notice);
  const variables = apptainerVariables(caller, apptainerEnvironment(attachment));
  const args = commandInNamespace(invocation, attachment);
  try {
    if (isInstance) {
      const start = () => runChild(requireApptainer(caller), args, { env: variables });
      const pidFile = pidFileOf(caller, invocation) ?? attachment.pidFile;
      return await startInstance(ledger, attachment, pidFile, start);
    }
    ledger.write({ ...attachment.record, phase: "running" });
    recordStart(attachment.record);
    faultPoint("start.running");
    return becomeApptainer(caller, args, variables);
  } catch (error) {
    await release(ledger, attachment);
    throw error;
  }
}

/**
 * Attaches a container to its own network, as the command line asks.
 *
 * @param becomesIt Whether all that the caller does afterwards is to become the container.
 * @throws {HpkError} When that fails; nothing is left behind.
 */
export async function attachAsAsked(
  ledger: Ledger,
  caller: Caller,
  invocation: ContainerInvocation,
  settings: Settings,
  becomesIt = false,
): Promise<Attachment> {
  if (settings.wait > 0 && wantedMode(settings) === "flannel") {
    const { awaitFlannel } = await import("../../network/flannel_wait.ts");
    await awaitFlannel(settings);
  }
  const isInstance = invocation.verb.startsWith("instance");
  requireApptainer(caller);
  return await attach(ledger, {
    ...{ caller, becomesIt, runtime: APPTAINER },
    settings: isInstance ? await withPortsOfHost(settings, invocation.network.name) : settings,
    ip: invocation.network.ip,
    name: invocation.network.name,
    kind: isInstance ? "instance" : "run",
    image: invocation.image,
    hostname: invocation.hostname,
    datapath: datapathFor(settings.datapath),
  });
}

/** Loads the reader of host.ini only if the file exists. */
async function withPortsOfHost(settings: Settings, name: string | undefined): Promise<Settings> {
  if (readFileIfExists(HOST_INI_PATH) === undefined) return settings;
  const { withHostPorts } = await import("../../ports/host_ports.ts");
  return withHostPorts(settings, name);
}

async function startInstance(
  ledger: Ledger,
  attachment: Attachment,
  pidFile: string,
  start: () => Promise<number>,
): Promise<number> {
  faultPoint("start.instance");
  const code = await start();
  faultPoint("start.instance started");
  const pid = code === 0 ? readPidFile(pidFile) : undefined;
  const owner = pid === undefined ? undefined : identify(pid);
  if (owner === undefined) {
    await release(ledger, attachment);
    return code;
  }
  ledger.write({ ...attachment.record, phase: "running", owner });
  recordStart(attachment.record);
  faultPoint("start.instance recorded");
  return code;
}

async function release(ledger: Ledger, attachment: Attachment): Promise<void> {
  await takeDown(ledger, (record) => record.id === attachment.record.id);
}

/**
 * Absolute path of the file for the instance's pid given on the command line; undefined if not
 * given.
 */
export function pidFileOf(
  caller: Caller,
  { pidFile }: Pick<ContainerInvocation, "pidFile">,
): string | undefined {
  return pidFile === undefined ? undefined : absolutePath(caller, pidFile);
}

/** Checks that an image given by path exists, before anything is created. */
export function checkImage(caller: Caller, image: string): void {
  if (/^[a-z][a-z0-9+.-]*:/i.test(image)) return;
  try {
    Deno.statSync(absolutePath(caller, image));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new HpkError({
      what: `cannot start ${image}`,
      why: "there is no such image",
      fix: "give the path of an image, or a source such as docker://IMAGE",
    }, { cause: error });
  }
}

/**
 * Refuses options that require our network.
 *
 * @throws {HpkError} When one is given.
 */
export function checkWithoutNetwork(invocation: ContainerInvocation, mode: "host" | "none"): void {
  const { ip, name, settings } = invocation.network;
  const isInstance = invocation.verb.startsWith("instance");
  const given = [
    ...Object.keys(settings).filter((key) => key !== "network"),
    ...(ip === undefined ? [] : ["ip"]),
    ...(name === undefined || isInstance ? [] : ["name"]),
    ...(mode === "host" && invocation.ownNetwork ? ["net"] : []),
  ];
  if (given.length === 0) return;
  throw new HpkError({
    what: `cannot use --${given[0]} with the network '${mode}'`,
    why: "hpktainer does not set up that network",
    fix: "leave one of the two out",
  });
}

/** Checks that the caller is root, which the container's own network requires. */
export function requireRootForNetwork(caller: Caller): void {
  requireRoot(
    caller,
    "cannot give the container a network of its own",
    "run it with sudo, or with --network host",
  );
}
