import { RELAY_DIRECTORY } from "@hpk/core";
import { serve } from "../serve.ts";
import { log } from "./log.ts";

/** Options of `hpk-net-daemon serve`. */
export interface ServeOptions {
  readonly directory?: string;
  /** Seconds. */
  readonly idleExit?: number;
  readonly readyFd?: number;
}

/** Runs `hpk-net-daemon serve`. */
export function runServe(
  _context: undefined,
  { directory = RELAY_DIRECTORY, idleExit, readyFd }: ServeOptions,
): Promise<void> {
  return serve({ directory, idleExit, readyFd, log });
}
