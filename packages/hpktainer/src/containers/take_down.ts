/** Takes down everything of a container but its network. */

import { faultPoint, isAlive, Ledger, removeCgroup } from "@hpk/core/os";
import { releaseImage } from "../images/image.ts";
import { FIRST_RUNTIME, type StoredContainer } from "./pure/stored_container.ts";
import { engineNamed } from "./engines/table.ts";
import { sendTo, waitForEnd } from "./container_end.ts";
import { cgroupOf } from "./paths.ts";
import { readStored, removeStored, storedIds, withStoreLock } from "./store.ts";

/** How long a supervisor may take to record the end of its container, in ms. */
const SUPERVISOR_TIMEOUT_MS = 5_000;

/**
 * Ends a container and removes everything of it but its network; its directory too, unless the
 * container is kept.
 *
 * @param runtime Name of its runtime.
 * @throws {Error} When something could not be removed, or the runtime is unknown: its record is
 * kept then.
 */
export async function takeDownContainer(runtime: string, id: string): Promise<void> {
  const engine = await engineNamed(runtime);
  const supervisor = engine.supervisor(id);
  await engine.delete(id);
  faultPoint("teardown.engine");
  await removeCgroup(cgroupOf(id).slice(1), 0);
  if (supervisor !== undefined && !await waitForEnd(supervisor, SUPERVISOR_TIMEOUT_MS)) {
    sendTo(supervisor, "SIGKILL");
  }
  const stored = readStored(id);
  if (stored === undefined || stored.options.remove || stored.maker !== null) discardContainer(id);
  faultPoint("teardown.container");
}

/** Removes a container's directory, and releases its image. */
export function discardContainer(id: string): void {
  removeStored(id);
  releaseImage(id);
}

/** A container that was swept. */
export interface SweptContainer {
  readonly id: string;
  /** Name of its runtime. */
  readonly runtime: string;
}

/**
 * Removes abandoned containers: those whose creating process died first, and those that were not to
 * be kept and that a crash of the host has ended.
 *
 * @param dryRun Only reports which.
 * @return What was removed.
 */
export function sweepContainers(dryRun: boolean): SweptContainer[] {
  if (storedIds().length === 0) return [];
  return withStoreLock(() => {
    const recorded = new Ledger().list().map((record) => record.id);
    const left = storedIds().filter((id) => !recorded.includes(id))
      .map((id) => ({ id, stored: readStored(id) }))
      .filter(({ stored }) => isLeft(stored));
    if (!dryRun) { for (const { id } of left) discardContainer(id); }
    return left.map(({ id, stored }) => ({ id, runtime: stored?.runtime ?? FIRST_RUNTIME }));
  });
}

/** Whether a container that is not in the ledger is abandoned. */
function isLeft(stored: StoredContainer | undefined): boolean {
  if (stored === undefined) return true;
  if (stored.maker !== null) return !isAlive(stored.maker);
  return stored.options.remove && stored.started !== null;
}
