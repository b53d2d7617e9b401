/** Works out what has to change, from the wanted state, the present state, and our records. */

import {
  type Change,
  type Entry,
  type Found,
  isOurs,
  keyOf,
  type Thing,
  type Value,
  type Wanted,
} from "./item.ts";

/** How an entry is undone. */
export interface UndoStep {
  readonly entry: Entry;
  readonly now: Value;
  /**
   * "restore" the prior value; "settled", nothing to do; "left", another program has changed it
   * since.
   */
  readonly what: "restore" | "settled" | "left";
}

/** Why an apply removes something that we made. */
export const NO_LONGER_NEEDED = "it is no longer needed";

/**
 * The changes that turn the present state into the wanted one, in order: first the removal of what
 * is no longer wanted, the last made first, then the wanted things in their order.
 *
 * @param wanted Things in the order in which they are made.
 * @param found Present values of these things and of the entries' things.
 * @param entries Records of what we have changed.
 */
export function changesFor(
  wanted: readonly Wanted[],
  found: Found,
  entries: readonly Entry[],
): Change[] {
  const keys = new Set(wanted.map(keyOf));
  const dropped = undoSteps(entries.filter((entry) => !keys.has(keyOf(entry))), found)
    .filter((step) => step.what === "restore")
    .map(({ entry, now }): Change => ({
      ...thingOf(entry),
      group: entry.group,
      old: now,
      new: entry.prior,
      reason: NO_LONGER_NEEDED,
    }));
  const changed = wanted.flatMap((want): Change[] => {
    const old = found.get(keyOf(want)) ?? null;
    if (old === want.value) return [];
    const { group, reason } = want;
    return [{ ...thingOf(want), group, old, new: want.value, reason }];
  });
  return [...dropped, ...changed];
}

/**
 * How each entry is undone when everything is, the last made first.
 *
 * A value that is neither ours nor the prior one was set by another program: it is left.
 */
export function undoSteps(entries: readonly Entry[], found: Found): UndoStep[] {
  return [...entries].reverse().map((entry): UndoStep => {
    const now = found.get(keyOf(entry)) ?? null;
    if (now === entry.prior) return { entry, now, what: "settled" };
    if (isOurs(entry, now) || ALWAYS_OURS.has(entry.kind)) return { entry, now, what: "restore" };
    return { entry, now, what: "left" };
  });
}

/** Kinds whose values are always ours, even if others edited them: chains with our names. */
const ALWAYS_OURS: ReadonlySet<string> = new Set(["firewall"]);

/**
 * The entries once a change has begun: recorded before the change is made, so that after a kill the
 * next run knows the prior state.
 */
export function entriesWith(entries: readonly Entry[], change: Change): Entry[] {
  const known = entries.find((entry) => keyOf(entry) === keyOf(change));
  const prior = known === undefined ? change.old : known.prior;
  const entry: Entry = {
    ...thingOf(change),
    group: change.group,
    prior,
    set: change.new,
    ...(known === undefined || known.set === change.new ? {} : { earlier: known.set }),
  };
  return known === undefined
    ? [...entries, entry]
    : entries.map((other) => other === known ? entry : other);
}

/** The entries without one. */
export function entriesWithout(entries: readonly Entry[], thing: Thing): Entry[] {
  return entries.filter((entry) => keyOf(entry) !== keyOf(thing));
}

function thingOf({ kind, id }: Thing): Thing {
  return { kind, id };
}
