import type { Caller } from "../shared/pure/caller.ts";

/**
 * What runs containers. Networks, addresses, names and the ledger are the same for all of them; what
 * differs is behind this.
 */
export interface Runtime {
  /**
   * Runs a container from a command line.
   *
   * @param words What follows `run`.
   * @return The exit status.
   * @throws {HpkError} When it cannot be started; nothing is left of the attempt.
   */
  run(caller: Caller, words: readonly string[]): Promise<number>;
  /**
   * Ends a container and removes what the runtime made for it, whatever is still there.
   *
   * @param id The container's id.
   * @throws When something stays; it is tried again later.
   */
  takeDown(id: string): Promise<void>;
  /**
   * Removes what makers left that died before the container was in the ledger, or with the host.
   *
   * @param dryRun Only tells what would be removed.
   * @return Ids of the containers that it was for.
   */
  sweep(dryRun: boolean): Promise<readonly string[]>;
}
