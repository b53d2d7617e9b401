import { HpkError } from "@hpk/core";
import type { Runtime } from "../containers/runtime.ts";

/**
 * The runtimes besides Apptainer, which takes this process's place and is started by
 * start_container.ts. Each is loaded when it is used.
 */
const RUNTIMES: Readonly<Record<string, () => Promise<Runtime>>> = {
  crun: async () => (await import("./crun/crun.ts")).crunRuntime,
};

/** Names of all runtimes. */
export const RUNTIME_NAMES: readonly string[] = ["apptainer", ...Object.keys(RUNTIMES)];

/**
 * Loads a runtime.
 *
 * @throws {HpkError} When there is none of that name.
 */
export function runtimeNamed(name: string): Promise<Runtime> {
  const load = Object.hasOwn(RUNTIMES, name) ? RUNTIMES[name] : undefined;
  if (load !== undefined) return load();
  throw new HpkError({
    what: `cannot use the runtime '${name}'`,
    why: "it is not known",
    fix: `use one of ${RUNTIME_NAMES.join(", ")}`,
  });
}

/** A container that a runtime has swept away. */
export interface SweptContainer {
  readonly runtime: string;
  readonly id: string;
}

/**
 * Removes what dead makers left, of all runtimes.
 *
 * @param dryRun Only tells what would be removed.
 */
export async function sweepRuntimes(dryRun: boolean): Promise<SweptContainer[]> {
  const swept: SweptContainer[] = [];
  for (const [runtime, load] of Object.entries(RUNTIMES)) {
    for (const id of await (await load()).sweep(dryRun)) swept.push({ runtime, id });
  }
  return swept;
}
