import type { Change, Entry, Kind, Value } from "../pure/item.ts";

/**
 * Looks at things of one kind and changes them. What differs from what is wanted is worked out by one
 * function for all kinds, `changesFor`.
 */
export interface Resource {
  readonly kind: Kind;
  /** What things are like now; null where one is not there. */
  inspect(ids: readonly string[]): Promise<readonly Value[]> | readonly Value[];
  /** Makes a thing as a change wants it; its new value is not null. */
  apply(change: Change): Promise<void> | void;
  /** As `apply`, of many at once, where one program call does them all. */
  applyAll?(changes: readonly Change[]): Promise<void>;
  /**
   * Puts back what was there before us.
   *
   * @param now What is there: what we made.
   * @return Why something stays, or undefined.
   */
  remove(entry: Entry, now: Value): Promise<string | undefined> | string | undefined;
  /** Called once after changes of this kind; tells programs that read what was changed. */
  finish?(): Promise<void>;
}
