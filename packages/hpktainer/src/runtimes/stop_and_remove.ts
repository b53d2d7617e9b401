/** Stops, kills, removes and waits for containers. */

import { type Caller } from "../shared/pure/caller.ts";
import { HpkError } from "@hpk/core";
import { drain, openProcess, waitReadableAside, watchDirectory } from "@hpk/core/ffi";
import { Ledger } from "@hpk/core/os";
import { releaseName } from "../attach/attach.ts";
import { stopSignalOf } from "../containers/pure/container_text.ts";
import { readSignal } from "../containers/pure/signals.ts";
import {
  type FoundContainer,
  type StoredContainer,
  UNSEEN_EXIT,
} from "../containers/pure/stored_container.ts";
import { engineNamed } from "../containers/engines/table.ts";
import { waitForEnd } from "../containers/container_end.ts";
import { pathsOf } from "../containers/paths.ts";
import {
  findRunning,
  findStoredContainer,
  listStoredContainers,
  readExitCode,
  requireRootForContainers,
} from "../containers/store.ts";
import { discardContainer } from "../containers/take_down.ts";

/** Default time a container may take to end before it is killed, in seconds, as with Docker. */
const STOP_TIMEOUT = 10;

/** How long a container may take to end after SIGKILL, in ms. */
const KILL_TIMEOUT_MS = 10_000;

/**
 * Stops a container by its stop signal, then by SIGKILL. A stopped one is left alone.
 *
 * @param timeout Seconds between the two; undefined for the container's own.
 * @param signal Undefined for the container's own.
 */
export async function stopContainer(
  caller: Caller,
  wanted: string,
  timeout: number | undefined,
  signal?: string,
): Promise<void> {
  requireRootForContainers(caller);
  const found = findStoredContainer(wanted);
  if (found.status !== "running") return;
  const { container } = found;
  await signalContainer(container, readSignal(signal ?? stopSignalOf(container)));
  const seconds = timeout ?? container.options.stopTimeout ?? STOP_TIMEOUT;
  if (!await hasEnded(container, seconds * 1000)) await killAndWait(container);
  await release(found);
}

/**
 * Sends a signal to a container's first process.
 *
 * @throws {HpkError} When it does not run.
 */
export async function killContainer(caller: Caller, wanted: string, signal: string): Promise<void> {
  const number = readSignal(signal);
  requireRootForContainers(caller);
  const found = findRunning(wanted, "kill");
  await signalContainer(found.container, number);
  if (number !== SIGKILL) return;
  await hasEnded(found.container, KILL_TIMEOUT_MS);
  await release(found);
}

/** SIGKILL, signal(7). */
const SIGKILL = 9;

/**
 * Removes a container.
 *
 * @param force Whether to kill a running container first.
 * @throws {HpkError} When it does not exist, or runs.
 */
export async function removeContainer(
  caller: Caller,
  wanted: string,
  force: boolean,
): Promise<void> {
  requireRootForContainers(caller);
  const found = findStoredContainer(wanted);
  const { container, status } = found;
  if (status === "running" && !force) {
    throw new HpkError({
      what: `cannot remove '${wanted}'`,
      why: "the container runs",
      fix: "stop it first, or add --force",
    });
  }
  if (status === "running") await killAndWait(container);
  await release(found);
  discardContainer(container.id);
}

/**
 * Removes all stopped containers.
 *
 * @return Their ids.
 */
export async function pruneContainers(caller: Caller): Promise<string[]> {
  requireRootForContainers(caller);
  const idle = listStoredContainers().filter(({ status, container }) =>
    status !== "running" && container.maker === null
  );
  for (const { container } of idle) await removeContainer(caller, container.id, false);
  return idle.map(({ container }) => container.id);
}

/**
 * Waits until a container has ended.
 *
 * @return Its exit status.
 */
export async function waitForContainer(caller: Caller, wanted: string): Promise<number> {
  requireRootForContainers(caller);
  const { container, status, exitCode } = findStoredContainer(wanted);
  if (status !== "running") return exitCode ?? 0;
  const engine = await engineNamed(container.runtime);
  using exits = watchDirectory(pathsOf(container.id).exits);
  for (;;) {
    // Read at once: a container that is not kept is removed soon.
    const code = readExitCode(container.id);
    if (code !== undefined) return code;
    const supervisor = engine.supervisor(container.id);
    if (supervisor === undefined) return readExitCode(container.id) ?? UNSEEN_EXIT;
    using ended = openProcess(supervisor.pid);
    await waitReadableAside([exits.fd, ...(ended === undefined ? [] : [ended.fd])]);
    drain(exits);
  }
}

async function killAndWait(container: StoredContainer): Promise<void> {
  await signalContainer(container, SIGKILL);
  if (await hasEnded(container, KILL_TIMEOUT_MS)) return;
  throw new HpkError({
    what: `cannot end the container '${container.id}'`,
    why: "its processes do not end even after SIGKILL",
    fix: "check what they wait for, such as a network file system",
  });
}

async function signalContainer({ runtime, id }: StoredContainer, signal: number): Promise<void> {
  await (await engineNamed(runtime)).kill(id, signal);
}

async function hasEnded({ runtime, id }: StoredContainer, timeoutMs: number): Promise<boolean> {
  const supervisor = (await engineNamed(runtime)).supervisor(id);
  return supervisor === undefined || await waitForEnd(supervisor, timeoutMs);
}

/** Waits until a container's network and name are released. */
async function release({ container }: FoundContainer): Promise<void> {
  await releaseName(new Ledger(), container.name);
}
