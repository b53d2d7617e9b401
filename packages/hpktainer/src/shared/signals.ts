/**
 * Handles signals to this process until the end of the scope.
 *
 * @param signals Those that are handled; the rest do what they do to any program.
 */
export function forwardSignals(
  signals: readonly Deno.Signal[],
  handle: (signal: Deno.Signal) => void,
): Disposable {
  const handlers = signals.map((signal) => ({ signal, listener: () => handle(signal) }));
  for (const { signal, listener } of handlers) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]: () => {
      for (const { signal, listener } of handlers) Deno.removeSignalListener(signal, listener);
    },
  };
}

/** Sends a signal to a child, unless it has just ended. */
export function signalChild(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // As Deno reports a child that has ended.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}
