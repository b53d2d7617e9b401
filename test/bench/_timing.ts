/** Timing of commands on a private host, and the programs that figures are compared with. */
import type { Place } from "../harness/mod.ts";
import { apptainerEnv } from "../harness/mod.ts";
import type { Plan } from "./_time_commands.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Bound of one series of measurements, in ms. */
const SERIES_TIMEOUT_MS = 1_800_000;

/**
 * Times commands in turn on a host.
 *
 * @return The times of each command, in ms, round by round.
 */
export async function timeInTurn(host: Place, plan: Plan): Promise<number[][]> {
  const script = new URL("./_time_commands.ts", import.meta.url).pathname;
  const { stdout } = await host.run(
    Deno.execPath(),
    ["run", "-A", "--no-config", script, JSON.stringify(plan)],
    { env: apptainerEnv(), timeoutMs: SERIES_TIMEOUT_MS },
  );
  return JSON.parse(stdout);
}

/** Uses the runtime that scripts/build uses. */
const COMPILE = `
source "$0/scripts/_toolchain.sh"
if [[ -f $HPK_CACHED_DENORT ]]; then export DENORT_BIN=\${DENORT_BIN:-$HPK_CACHED_DENORT}; fi
exec "$0/scripts/deno" compile -q -A --no-check --no-config --no-code-cache -o "$1" "$2"
`;

/**
 * Compiles a program that does nothing: what it takes is what the runtime itself takes.
 *
 * @return Its path.
 */
export async function emptyProgram(): Promise<string> {
  const directory = `${ROOT}dist/.bench`;
  await Deno.mkdir(directory, { recursive: true });
  const [source, binary] = [`${directory}/empty.js`, `${directory}/empty`];
  await Deno.writeTextFile(source, "");
  const { success, stderr } = await new Deno.Command("bash", {
    args: ["-c", COMPILE, ROOT.replace(/\/$/, ""), binary, source],
  }).output();
  if (!success) {
    throw new Error(`the empty program cannot be compiled: ${new TextDecoder().decode(stderr)}`);
  }
  return binary;
}
