/** Takes down what was made for a container besides its network. */

import {
  faultPoint,
  isAlive,
  Ledger,
  listDirectory,
  removeCgroup,
  removeIfExists,
} from "@hpk/core/os";
import { releaseImage } from "../images/image.ts";
import type { StoredContainer } from "./pure/stored_container.ts";
import { identifySupervisor } from "./supervisor.ts";
import { sendTo, waitForEnd } from "./container_end.ts";
import { cgroupOf, CRUN_STATE } from "./paths.ts";
import { readStored, removeStored, storedIds, withStoreLock } from "./store.ts";
import { runCrun } from "./engines/crun.ts";

/** How long conmon may take to write down the end of its container, in ms. */
const CONMON_TIMEOUT_MS = 5_000;

/**
 * Ends a container and removes what there is of it besides its network; its directory too, unless it
 * is to be kept.
 *
 * @throws {Error} When something stays.
 */
export async function takeDownContainer(id: string): Promise<void> {
  const conmon = identifySupervisor(id);
  if (listDirectory(`${CRUN_STATE}/${id}`) !== undefined) {
    const result = await runCrun(["delete", "--force", id]);
    // What crun cannot read of its own state, as after a kill in the middle, it does not remove.
    if (result.code !== 0) removeIfExists(`${CRUN_STATE}/${id}`);
  }
  faultPoint("teardown.crun");
  await removeCgroup(cgroupOf(id).slice(1), 0);
  if (conmon !== undefined && !await waitForEnd(conmon, CONMON_TIMEOUT_MS)) {
    sendTo(conmon, "SIGKILL");
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

/**
 * Removes the containers that nobody waits for any more: those whose maker died before they were
 * made, and those that were not to be kept and that a crash of the host has ended.
 *
 * @param dryRun Only tells which.
 * @return Their ids.
 */
export function sweepContainers(dryRun: boolean): string[] {
  if (storedIds().length === 0) return [];
  return withStoreLock(() => {
    const recorded = new Ledger().list().map((record) => record.id);
    const left = storedIds().filter((id) => !recorded.includes(id) && isLeft(readStored(id)));
    if (!dryRun) { for (const id of left) discardContainer(id); }
    return left;
  });
}

/** Whether nobody waits for a container that is not in the ledger. */
function isLeft(stored: StoredContainer | undefined): boolean {
  if (stored === undefined) return true;
  if (stored.maker !== null) return !isAlive(stored.maker);
  return stored.options.remove && stored.started !== null;
}
