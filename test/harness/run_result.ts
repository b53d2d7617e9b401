/** Result of a finished command. */
export interface RunResult {
  /** Exit code; 128+N when it died by signal N. */
  code: number;
  /** The signal it died by, else null. */
  signal: Deno.Signal | null;
  /** Everything written to standard output. */
  stdout: string;
  /** Everything written to standard error. */
  stderr: string;
  /** Wall time in milliseconds, from just before the start to the exit. */
  ms: number;
  /**
   * True if a leftover process still held the output pipes after the exit: `$(command)` would hang.
   */
  pipesHeld: boolean;
}
