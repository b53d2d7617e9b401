import { forwardSignals, signalChild } from "./signals.ts";
import { logProgram } from "@hpk/core/log";

/** Signals that are handed on to a child; the rest end us as they end any program. */
const FORWARDED: readonly Deno.Signal[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
];

/**
 * Runs a program on our own standard streams and hands signals on to it.
 *
 * @param environment Variables that are added to our own, or with `clearEnv` all that it has.
 * @return Its exit status, or 128 and the number of the signal that ended it.
 */
export async function runChild(
  path: string,
  args: readonly string[],
  environment: Pick<Deno.CommandOptions, "env" | "clearEnv"> = {},
): Promise<number> {
  const child = new Deno.Command(path, {
    args: [...args],
    ...environment,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const ended = logProgram([path, ...args], child.pid);
  using _signals = forwardSignals(FORWARDED, (signal) => signalChild(child, signal));
  const { code } = await child.status;
  ended(code);
  return code;
}
