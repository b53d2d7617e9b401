import { HpkError } from "@hpk/core";

/**
 * What runs containers. Networks, addresses, names and the ledger are the same for all of them; what
 * differs is behind this.
 */
export interface Runtime {
  /**
   * Runs a container from a command line.
   *
   * @param words What follows `run`.
   * @return The exit status.
   * @throws {HpkError} When it cannot be started; nothing is left of the attempt.
   */
  run(words: readonly string[]): Promise<number>;
  /**
   * Ends a container and removes what the runtime made for it, whatever is still there.
   *
   * @param id The container's id.
   * @throws When something stays; it is tried again later.
   */
  takeDown(id: string): Promise<void>;
  /**
   * Removes what makers left that died before the container was in the ledger, or with the host.
   *
   * @param dryRun Only tells what would be removed.
   * @return Ids of the containers that it was for.
   */
  sweep(dryRun: boolean): Promise<readonly string[]>;
}

/**
 * The runtimes besides Apptainer, which takes this process's place and is started by
 * start_container.ts. Each is loaded when it is used.
 */
const RUNTIMES: Readonly<Record<string, () => Promise<Runtime>>> = {
  crun: async () => (await import("./crun/crun_runtime.ts")).crunRuntime,
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
