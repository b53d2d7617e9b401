import type { ProcessId } from "@hpk/core";

/**
 * Manages existing containers of one runtime. The tear-down uses it, so it does not know about
 * networks. An engine is a file runtimes/NAME/engine.ts and a line in engines/table.ts.
 */
export interface Engine {
  /**
   * The supervisor of the container: it ends once the container has ended and its exit status is
   * written.
   *
   * @return Undefined if it is unknown or has ended.
   */
  supervisor(id: string): ProcessId | undefined;
  /**
   * Sends a signal to a container's first process, if it has not ended.
   *
   * @param signal Its number.
   * @throws {HpkError} When it cannot be sent.
   */
  kill(id: string, signal: number): Promise<void>;
  /**
   * Ends a container and removes the runtime's state of it, as far as it exists.
   *
   * @throws {Error} When something could not be removed; it is retried later.
   */
  delete(id: string): Promise<void>;
}
