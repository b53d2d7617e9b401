import { log } from "./log.ts";

/** Environment variables of the fault-injection tests: where to list the points, and at which to die. */
const TRACE = "HPK_FAULT_TRACE";
const KILL = "HPK_FAULT_KILL";

const trace = Deno.env.get(TRACE);
const kill = Deno.env.get(KILL);

/**
 * Names a point between two steps of a set-up or tear-down: the log shows it as the step that is done.
 * A test may ask for the list of all points (HPK_FAULT_TRACE names a file) or for an end by SIGKILL at
 * one of them (HPK_FAULT_KILL names the point).
 */
export function faultPoint(name: string): void {
  log("debug", () => `step ${name}`);
  if (trace !== undefined) Deno.writeTextFileSync(trace, `${name}\n`, { append: true });
  if (kill === name) Deno.kill(Deno.pid, "SIGKILL");
}
