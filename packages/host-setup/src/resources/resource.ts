import type { Change, Entry, Kind, Value } from "../pure/item.ts";

/**
 * Reads and changes things of one kind. The difference to the wanted state is worked out by one
 * function for all kinds, `changesFor`.
 */
export interface Resource {
  readonly kind: Kind;
  /** Present values of things; null if one does not exist. */
  inspect(ids: readonly string[]): Promise<readonly Value[]> | readonly Value[];
  /** Makes a change; its new value is not null. */
  apply(change: Change): Promise<void> | void;
  /** As `apply`, for many at once, if one program call can make them all. */
  applyAll?(changes: readonly Change[]): Promise<void>;
  /**
   * Restores the prior state.
   *
   * @param now The present value: the one that we set.
   * @return Why something stays, or undefined.
   */
  remove(entry: Entry, now: Value): Promise<string | undefined> | string | undefined;
  /** Called once after changes of this kind; notifies programs that read the changed things. */
  finish?(): Promise<void>;
}
