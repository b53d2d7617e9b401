import { identify, isAlive } from "@hpk/core/os";

/** Resolves when the process is told to end, by SIGTERM or SIGINT. */
export function ended(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => resolve(signal));
    }
  });
}

/** How often it is looked whether a process is still there, in ms. */
const LOOK_MS = 100;

/** Resolves when a process has ended. */
export function endOf(pid: number): Promise<void> {
  const process = identify(pid);
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process !== undefined && isAlive(process)) return;
      clearInterval(timer);
      resolve();
    }, LOOK_MS);
  });
}
