/** Stops, kills, removes and waits for containers. */

import { HpkError, oneLine } from "@hpk/core";
import { drain, openProcess, waitReadableAside, watchDirectory } from "@hpk/core/ffi";
import { Ledger } from "@hpk/core/os";
import { releaseName } from "../../attach/attach.ts";
import { stopSignalOf } from "../../containers/pure/container_text.ts";
import { readSignal } from "../../containers/pure/signals.ts";
import { UNSEEN_EXIT } from "../../containers/pure/stored_container.ts";
import { identifySupervisor } from "../../containers/supervisor.ts";
import { waitForEnd } from "../../containers/container_end.ts";
import { pathsOf } from "../../containers/paths.ts";
import {
  findContainer,
  findRunning,
  type FoundContainer,
  listContainers,
  readExitCode,
} from "../../containers/store.ts";
import { runCrun } from "../../containers/engines/crun.ts";
import { discardContainer } from "../../containers/take_down.ts";

/** How long a container may take to end before it is killed, in seconds, as with Docker. */
const STOP_TIMEOUT = 10;

/** How long one may take to be gone after SIGKILL, in ms. */
const KILL_TIMEOUT_MS = 10_000;

/**
 * Stops a container, by its signal, then by SIGKILL. One that does not run is left alone.
 *
 * @param timeout Seconds between the two; undefined for the container's own.
 * @param signal Undefined for the container's own.
 */
export async function stopContainer(
  wanted: string,
  timeout: number | undefined,
  signal?: string,
): Promise<void> {
  const found = findContainer(wanted);
  if (found.status !== "running") return;
  const { container } = found;
  await signalContainer(container.id, readSignal(signal ?? stopSignalOf(container)));
  const seconds = timeout ?? container.options.stopTimeout ?? STOP_TIMEOUT;
  if (!await hasEnded(container.id, seconds * 1000)) await killAndWait(container.id);
  await release(found);
}

/**
 * Sends a signal to a container's first process.
 *
 * @throws {HpkError} When it does not run.
 */
export async function killContainer(wanted: string, signal: string): Promise<void> {
  const number = readSignal(signal);
  const found = findRunning(wanted, "kill");
  await signalContainer(found.container.id, number);
  if (number !== SIGKILL) return;
  await hasEnded(found.container.id, KILL_TIMEOUT_MS);
  await release(found);
}

/** SIGKILL, signal(7). */
const SIGKILL = 9;

/**
 * Removes a container.
 *
 * @param force Whether one that runs is killed first.
 * @throws {HpkError} When there is none, or it runs.
 */
export async function removeContainer(wanted: string, force: boolean): Promise<void> {
  const found = findContainer(wanted);
  const { container, status } = found;
  if (status === "running" && !force) {
    throw new HpkError({
      what: `cannot remove '${wanted}'`,
      why: "the container runs",
      fix: "stop it first, or add --force",
    });
  }
  if (status === "running") await killAndWait(container.id);
  await release(found);
  discardContainer(container.id);
}

/**
 * Removes every container that does not run.
 *
 * @return Their ids.
 */
export async function pruneContainers(): Promise<string[]> {
  const idle = listContainers().filter(({ status, container }) =>
    status !== "running" && container.maker === null
  );
  for (const { container } of idle) await removeContainer(container.id, false);
  return idle.map(({ container }) => container.id);
}

/**
 * Waits until a container has ended.
 *
 * @return Its exit status.
 */
export async function waitForContainer(wanted: string): Promise<number> {
  const { container, status, exitCode } = findContainer(wanted);
  if (status !== "running") return exitCode ?? 0;
  using exits = watchDirectory(pathsOf(container.id).exits);
  for (;;) {
    // Read at once: one that is not kept is removed soon after.
    const code = readExitCode(container.id);
    if (code !== undefined) return code;
    const conmon = identifySupervisor(container.id);
    if (conmon === undefined) return readExitCode(container.id) ?? UNSEEN_EXIT;
    using ended = openProcess(conmon.pid);
    await waitReadableAside([exits.fd, ...(ended === undefined ? [] : [ended.fd])]);
    drain(exits);
  }
}

async function killAndWait(id: string): Promise<void> {
  await signalContainer(id, SIGKILL);
  if (await hasEnded(id, KILL_TIMEOUT_MS)) return;
  throw new HpkError({
    what: `cannot end the container '${id}'`,
    why: "its processes do not end even by SIGKILL",
    fix: "look for what they wait for, such as a network file system",
  });
}

async function signalContainer(id: string, signal: number): Promise<void> {
  const { code, stderr } = await runCrun(["kill", id, String(signal)]);
  // One that has ended in this moment has what it was to have.
  if (code === 0 || identifySupervisor(id) === undefined) return;
  if (/No such process|not running|does not exist/i.test(stderr)) return;
  throw new HpkError({
    what: `cannot send a signal to the container '${id}'`,
    why: `crun says: ${oneLine(stderr)}`,
    fix: "see 'hpktainer container ls'",
  });
}

async function hasEnded(id: string, timeoutMs: number): Promise<boolean> {
  const conmon = identifySupervisor(id);
  return conmon === undefined || await waitForEnd(conmon, timeoutMs);
}

/** Waits until a container's network and name are released. */
async function release({ container }: FoundContainer): Promise<void> {
  await releaseName(new Ledger(), container.name);
}
