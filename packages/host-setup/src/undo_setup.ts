/** Restores the state before us. */

import { faultPoint, listDirectory, removeIfEmpty, removeIfExists } from "@hpk/core/os";
import { JournalFile } from "./journal_file.ts";
import { inspectHost } from "./look.ts";
import { inspectAll } from "./plan_setup.ts";
import type { Progress } from "./progress.ts";
import { type Entry, keyOf, type Kind } from "./pure/item.ts";
import { entriesWithout, undoSteps } from "./pure/reconcile.ts";
import { type LeftThing, type UndoReport, valueText } from "./pure/report.ts";
import { makeResources } from "./resources/all.ts";
import { editedCopyOf } from "./resources/file.ts";
import { removeProbe } from "./verify.ts";
import { temporaryOf } from "./resources/write_file.ts";

/** Kinds that a later --undo may restore if this one cannot: containers use them. */
const LATER: ReadonlySet<Kind> = new Set(["bridge", "sysctl"]);

/**
 * Restores the state before us, the last change first. A value that another program has changed
 * since is left, and reported.
 *
 * @throws {HpkError} If the journal cannot be read, or something cannot be restored.
 */
export async function undoSetup(progress: Progress): Promise<UndoReport> {
  using journal = await JournalFile.open();
  // The remains of a killed --verify would keep the bridge in use.
  await removeProbe();
  const look = await inspectHost(false);
  const resources = makeResources(look, undefined, journal.journal.entries, progress);
  const found = await inspectAll(resources, journal.journal.entries);
  const restored: UndoReport["restored"][number][] = [];
  const left: LeftThing[] = [];
  for (const { entry, now, what } of undoSteps(journal.journal.entries, found)) {
    const { kind, id, group, prior } = entry;
    if (kind === "file" || kind === "setting") removeTemporary(id);
    if (id.endsWith(".conflist")) removeLeases(entry);
    let why: string | undefined;
    if (what === "left") {
      why =
        `it has been changed since: it is ${valueText(kind, now)}, and host-setup had set it to ` +
        valueText(kind, entry.set);
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

/** Removes the temporary file that a kill left behind. */
function removeTemporary(path: string): void {
  for (const written of [path, editedCopyOf(path)]) removeIfExists(temporaryOf(written));
}

/** Where the plugins host-local and others keep their state (host-local's dataDir). */
const CNI_STATE = "/var/lib/cni";

/** Removes host-local's files for our network, once no container has an address of it. */
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
