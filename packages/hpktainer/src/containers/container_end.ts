/** How a container ends: its signals, and its exit status. */

import type { ProcessId } from "@hpk/core";
import { openProcess, waitReadableAside } from "@hpk/core/ffi";
import { identify, isAlive } from "@hpk/core/os";
import { forwardSignals } from "../shared/signals.ts";
import { UNSEEN_EXIT } from "./pure/stored_container.ts";
import { readExitCode } from "./store.ts";

/** Signals that are forwarded; the others have their default effect on us. */
export const FORWARDED: readonly Deno.Signal[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGCONT",
  "SIGPWR",
];

/**
 * Forwards signals to a container's first process until the end of the scope. Signals that arrive
 * before its command runs are kept until then: the process would ignore them.
 */
export class SignalForwarder implements Disposable {
  readonly #init: ProcessId;
  readonly #signals: Disposable;
  #kept: Deno.Signal[] | undefined = [];

  constructor(init: ProcessId) {
    this.#init = init;
    this.#signals = forwardSignals(FORWARDED, (signal) => this.#take(signal));
  }

  /** Call when the command runs: sends the kept signals. */
  begin(): void {
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    for (const signal of kept) sendTo(this.#init, signal);
  }

  [Symbol.dispose](): void {
    this.#signals[Symbol.dispose]();
  }

  #take(signal: Deno.Signal): void {
    if (this.#kept === undefined) sendTo(this.#init, signal);
    else this.#kept.push(signal);
  }
}

/** Sends a signal to a process, if it is still the same process. */
export function sendTo(process: ProcessId, signal: Deno.Signal): void {
  if (!isAlive(process)) return;
  try {
    Deno.kill(process.pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Waits until a process has ended, without blocking this thread.
 *
 * @param timeoutMs Bound in ms; -1 for none.
 * @return Whether it has.
 */
export async function waitForEnd(process: ProcessId, timeoutMs = -1): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  using watched = openProcess(process.pid);
  while (watched !== undefined && identify(process.pid)?.startTime === process.startTime) {
    const left = timeoutMs < 0 ? -1 : Math.ceil(deadline - performance.now());
    if (timeoutMs >= 0 && left <= 0) return false;
    await waitReadableAside([watched.fd], left);
  }
  return true;
}

/** The exit status of a container that has ended, as its supervisor left it. */
export function exitStatusOf(id: string): number {
  return readExitCode(id) ?? UNSEEN_EXIT;
}
