import { identify, isAlive } from "@hpk/core/os";

/** Resolves on SIGTERM or SIGINT. */
export function ended(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => resolve(signal));
    }
  });
}

/** How often to check whether a process still exists, in ms. */
const CHECK_MS = 100;

/** Resolves when a process has ended. */
export function endOf(pid: number): Promise<void> {
  const process = identify(pid);
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process !== undefined && isAlive(process)) return;
      clearInterval(timer);
      resolve();
    }, CHECK_MS);
  });
}
