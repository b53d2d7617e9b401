/** Bounded polling: the only way tests wait for something that another process does. */

/** Options of {@linkcode eventually}. */
export interface EventuallyOptions {
  /** The expected condition, for the error. */
  what: string;
  /** Timeout in milliseconds. Default 5,000. */
  timeoutMs?: number;
  /** Pause between two tries in milliseconds. Default 20. */
  intervalMs?: number;
}

/**
 * Call `probe` until it returns something truthy, and return that.
 * A throw counts as "not yet". Throws after `timeoutMs`, with the last throw as its cause.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { what, timeoutMs = 5_000, intervalMs = 20 }: EventuallyOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      const reason = cause instanceof Error ? `: ${cause.message}` : "";
      throw new Error(`${what}: not within ${timeoutMs} ms${reason}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
