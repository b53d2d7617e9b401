/** Applies the wanted state to the host, step by step; each step is recorded before it is made. */

import { faultPoint } from "@hpk/core/os";
import { JournalFile } from "./journal_file.ts";
import { makePlan, notesOn, type Plan, type SetupRequest } from "./plan_setup.ts";
import { type Change, type Entry, keyOf } from "./pure/item.ts";
import { entriesWith, entriesWithout } from "./pure/reconcile.ts";
import type { SetupReport } from "./pure/report.ts";
import { makeResources, type Resources } from "./resources/all.ts";
import { FORWARDING_KEY, forwardingBefore } from "./resources/sysctl.ts";

/**
 * Applies the wanted state to the host. If a step fails, the changes of this run are reverted.
 *
 * @throws {HpkError} If the host cannot be set up as requested, or a step fails.
 */
export async function applySetup(request: SetupRequest): Promise<SetupReport> {
  using journal = await JournalFile.open();
  const done: Change[] = [];
  const notes: string[] = [];
  for (;;) {
    const plan = await makePlan(request);
    // Packages come first, alone, because everything else depends on what they install.
    const packages = plan.changes.filter(({ kind }) => kind === "package");
    const now = packages.length > 0 ? packages : plan.changes;
    notes.push(...notesOn(now, plan.look), ...await makeChanges(plan, now, journal, request));
    done.push(...now);
    if (packages.length > 0) continue;
    const { desired } = plan;
    settle(plan, journal);
    return { changes: done, notes: [...desired.notes, ...notes], problems: desired.problems };
  }
}

/** Makes changes; returns notes on those that could not be completed. */
async function makeChanges(
  { look, desired }: Plan,
  changes: readonly Change[],
  journal: JournalFile,
  { progress }: SetupRequest,
): Promise<string[]> {
  const before = journal.journal;
  const resources = makeResources(look, desired, before.entries, progress);
  const wanted = new Set(desired.wanted.map(keyOf));
  const begun: Change[] = [];
  const notes: string[] = [];
  try {
    if (JSON.stringify(before.choices) !== JSON.stringify(desired.choices)) {
      journal.write({ ...before, choices: desired.choices });
      faultPoint("recorded the choices");
    }
    for (const batch of batches(changes, resources)) {
      const [first] = batch as [Change];
      if (!wanted.has(keyOf(first))) {
        const why = await resources[first.kind].remove(entryOf(first, journal), first.old);
        if (why === undefined) forget(first, journal);
        else notes.push(`${keyOf(first)}: ${why}`);
        faultPoint(`dropped ${keyOf(first)}`);
        continue;
      }
      let { entries } = journal.journal;
      for (const change of batch) entries = entriesWith(entries, withTruePrior(change));
      journal.write({ ...journal.journal, entries });
      faultPoint(`recorded ${batch.map(keyOf).join(", ")}`);
      begun.push(...batch);
      const { applyAll } = resources[first.kind];
      if (applyAll) await applyAll(batch);
      else await resources[first.kind].apply(first);
      faultPoint(`made ${batch.map(keyOf).join(", ")}`);
    }
    for (const kind of new Set(changes.map(({ kind }) => kind))) await resources[kind].finish?.();
    return notes;
  } catch (error) {
    await revert(resources, begun);
    try {
      journal.write(before);
    } catch {
      // A journal with entries for reverted changes does no harm.
    }
    throw error;
  }
}

/** Groups changes that one call can make, in order. */
function batches(changes: readonly Change[], resources: Resources): Change[][] {
  const found: Change[][] = [];
  for (const change of changes) {
    const last = found.at(-1);
    if (last?.[0]?.kind === change.kind && resources[change.kind].applyAll) last.push(change);
    else found.push([change]);
  }
  return found;
}

/** Reverts what this run has made, the last first, even if some of it fails. */
async function revert(resources: Resources, begun: readonly Change[]): Promise<void> {
  for (const change of [...begun].reverse()) {
    const entry = { ...change, prior: change.old, set: change.new };
    try {
      await resources[change.kind].remove(entry, change.new);
    } catch {
      // The original error is the one to report; --undo handles the rest.
    }
  }
}

/** If hpktainer's containers have turned forwarding on, it was off before. */
function withTruePrior(change: Change): Change {
  return change.kind === "sysctl" && change.id === FORWARDING_KEY
    ? { ...change, old: forwardingBefore(change.old) }
    : change;
}

/** Updates the journal once the host has the wanted state. */
function settle({ desired, look }: Plan, journal: JournalFile): void {
  const wanted = new Set(desired.wanted.map(keyOf));
  const left = journal.journal.entries.filter((entry) =>
    wanted.has(keyOf(entry)) || entry.kind === "bridge" || desired.passedOver.includes(entry.kind)
  );
  const entries = [...left];
  const forwarding = { kind: "sysctl", id: FORWARDING_KEY } as const;
  const prior = forwardingBefore(null);
  if (prior === "0" && !entries.some((entry) => keyOf(entry) === keyOf(forwarding))) {
    entries.unshift({ ...forwarding, group: "kernel settings", prior, set: "1" });
  }
  const isSame = JSON.stringify(entries) === JSON.stringify(journal.journal.entries);
  const hasChoices = JSON.stringify(look.journal.choices) === JSON.stringify(desired.choices);
  if (!isSame || !hasChoices) journal.write({ version: 1, choices: desired.choices, entries });
}

function entryOf(change: Change, journal: JournalFile): Entry {
  return journal.journal.entries.find((entry) => keyOf(entry) === keyOf(change))!;
}

function forget(change: Change, journal: JournalFile): void {
  const entries = entriesWithout(journal.journal.entries, change);
  journal.write({ ...journal.journal, entries });
}
