import { forwardSignals, signalChild } from "./signals.ts";
import { logProgram } from "@hpk/core/log";

/** Signals that are forwarded to a child; the others have their default effect on us. */
const FORWARDED: readonly Deno.Signal[] = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
];

/**
 * Runs a program on our own standard streams and forwards signals to it.
 *
 * @param environment Variables to add to our own, or, with `clearEnv`, its whole environment.
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
