/** What has to change: what is wanted against what is there and what we have made before. */

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

/** What becomes of an entry when it is undone. */
export interface UndoStep {
  readonly entry: Entry;
  readonly now: Value;
  /** "restore" the prior value; "settled", nothing to do; "left", someone else has changed it since. */
  readonly what: "restore" | "settled" | "left";
}

/** Why something that we made goes away with an apply. */
export const NOT_WANTED_ANY_MORE = "it is not wanted any more";

/**
 * The changes that make the host as wanted, in order: first what is not wanted any more, the last made
 * first, then what is wanted, in its order.
 *
 * @param wanted Things in the order in which they are made.
 * @param found What they and the entries' things are now.
 * @param entries What we have changed before.
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
      reason: NOT_WANTED_ANY_MORE,
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
 * What becomes of each entry when all is undone, the last made first.
 *
 * A value that is neither what we made nor what was before is someone else's: it is left.
 */
export function undoSteps(entries: readonly Entry[], found: Found): UndoStep[] {
  return [...entries].reverse().map((entry): UndoStep => {
    const now = found.get(keyOf(entry)) ?? null;
    if (now === entry.prior) return { entry, now, what: "settled" };
    if (isOurs(entry, now) || OURS_WHATEVER.has(entry.kind)) return { entry, now, what: "restore" };
    return { entry, now, what: "left" };
  });
}

/** Kinds of which every value is ours, however it came about: chains that bear our names. */
const OURS_WHATEVER: ReadonlySet<string> = new Set(["firewall"]);

/**
 * The entries after a change is begun: written before the change is made, so that whoever comes after
 * a kill knows what was there.
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
