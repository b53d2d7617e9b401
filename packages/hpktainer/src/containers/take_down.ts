/** Takes down what was made for a container besides its network. */

import { faultPoint, isAlive, Ledger, removeCgroup } from "@hpk/core/os";
import { releaseImage } from "../images/image.ts";
import { FIRST_RUNTIME, type StoredContainer } from "./pure/stored_container.ts";
import { engineNamed } from "./engines/table.ts";
import { sendTo, waitForEnd } from "./container_end.ts";
import { cgroupOf } from "./paths.ts";
import { readStored, removeStored, storedIds, withStoreLock } from "./store.ts";

/** How long a supervisor may take to write down the end of its container, in ms. */
const SUPERVISOR_TIMEOUT_MS = 5_000;

/**
 * Ends a container and removes what there is of it besides its network; its directory too, unless it
 * is to be kept.
 *
 * @param runtime Name of its runtime.
 * @throws {Error} When something stays, as where the runtime is not known: its record is kept then.
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

/** Removes a container's directory, and lets its image go. */
export function discardContainer(id: string): void {
  removeStored(id);
  releaseImage(id);
}

/** A container that was swept away. */
export interface SweptContainer {
  readonly id: string;
  /** Name of its runtime. */
  readonly runtime: string;
}

/**
 * Removes the containers that nobody waits for any more: those whose maker died before they were
 * made, and those that were not to be kept and that a crash of the host has ended.
 *
 * @param dryRun Only tells which.
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

/** Whether nobody waits for a container that is not in the ledger. */
function isLeft(stored: StoredContainer | undefined): boolean {
  if (stored === undefined) return true;
  if (stored.maker !== null) return !isAlive(stored.maker);
  return stored.options.remove && stored.started !== null;
}
