/** Puts back what was there before us. */

import { faultPoint, listDirectory, removeIfEmpty, removeIfExists } from "@hpk/core/os";
import { JournalFile } from "./journal_file.ts";
import { lookAtHost } from "./look.ts";
import { inspectAll } from "./plan_setup.ts";
import type { Progress } from "./progress.ts";
import { type Entry, keyOf, type Kind } from "./pure/item.ts";
import { entriesWithout, undoSteps } from "./pure/reconcile.ts";
import { type LeftThing, type UndoReport, valueText } from "./pure/report.ts";
import { makeResources } from "./resources/all.ts";
import { editedCopyOf } from "./resources/file.ts";
import { removeProbe } from "./verify.ts";
import { temporaryOf } from "./resources/write_file.ts";

/** Kinds that may be undone later when they cannot be now: containers hold them. */
const LATER: ReadonlySet<Kind> = new Set(["bridge", "sysctl"]);

/**
 * Puts back what was there before us, the last made first. A value that someone else has changed since
 * is left, and reported.
 *
 * @throws {HpkError} When the journal cannot be read, or something cannot be put back.
 */
export async function undoSetup(progress: Progress): Promise<UndoReport> {
  using journal = await JournalFile.open();
  // What a --verify that was killed has left would hold the bridge.
  await removeProbe();
  const look = await lookAtHost(false);
  const resources = makeResources(look, undefined, journal.journal.entries, progress);
  const found = await inspectAll(resources, journal.journal.entries);
  const restored: UndoReport["restored"][number][] = [];
  const left: LeftThing[] = [];
  for (const { entry, now, what } of undoSteps(journal.journal.entries, found)) {
    const { kind, id, group, prior } = entry;
    if (kind === "file") cleanBeside(id);
    if (id.endsWith(".conflist")) removeLeases(entry);
    let why: string | undefined;
    if (what === "left") {
      why =
        `someone else has changed it since: it is ${valueText(kind, now)}, and host-setup made ` +
        `it ${valueText(kind, entry.set)}`;
    } else if (what === "restore") {
      why = await resources[kind].remove(entry, now);
      faultPoint(`undone ${keyOf(entry)}`);
    }
    if (why !== undefined) {
      left.push({ kind, id, why, later: what === "restore" && LATER.has(kind) });
    } else if (what === "restore") restored.push({ kind, id, group, old: now, new: prior });
    if (why === undefined || !left.at(-1)!.later) forget(entry, journal);
  }
  for (const kind of new Set(restored.map(({ kind }) => kind))) await resources[kind].finish?.();
  if (journal.journal.entries.length === 0) journal.remove();
  faultPoint("undone");
  return { restored, left };
}

/** Removes what a kill left of the writing of a file. */
function cleanBeside(path: string): void {
  for (const written of [path, editedCopyOf(path)]) removeIfExists(temporaryOf(written));
}

/** Where the plugins host-local and others keep their state (host-local's dataDir). */
const CNI_STATE = "/var/lib/cni";

/** Removes what host-local keeps for a network of ours, once no container has an address of it. */
function removeLeases({ set }: Entry): void {
  const name: unknown = JSON.parse(set ?? "{}").name;
  if (typeof name !== "string") return;
  const directory = `${CNI_STATE}/networks/${name}`;
  const files = listDirectory(directory);
  if (files === undefined || !files.every((file) => /^(lock|last_reserved_ip\.)/.test(file))) {
    return;
  }
  removeIfExists(directory);
  for (const part of ["/networks", "/results", ""]) removeIfEmpty(`${CNI_STATE}${part}`);
}

function forget(entry: Entry, journal: JournalFile): void {
  const entries = entriesWithout(journal.journal.entries, entry);
  if (entries.length > 0) journal.write({ ...journal.journal, entries });
  else journal.remove();
}
