import type { ProcessId } from "@hpk/core";

/**
 * What it takes to look after containers of one runtime that are there: the tear-down works with it, so
 * it knows nothing of networks. It is runtimes/NAME/engine.ts, and a line in engines/table.ts.
 */
export interface Engine {
  /**
   * The process whose life is the container's: it ends when the container has ended and its exit status
   * is written.
   *
   * @return Undefined where none is known, or it has ended.
   */
  supervisor(id: string): ProcessId | undefined;
  /**
   * Sends a signal to a container's first process; one that has ended gets none.
   *
   * @param signal Its number.
   * @throws {HpkError} When it cannot be sent.
   */
  kill(id: string, signal: number): Promise<void>;
  /**
   * Ends a container and removes what the runtime keeps of it, whatever is still there.
   *
   * @throws {Error} When something stays; it is tried again later.
   */
  delete(id: string): Promise<void>;
}
