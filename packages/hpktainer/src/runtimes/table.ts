import type { Program } from "@hpk/core/os";
import { HpkError } from "@hpk/core";
import type { Caller } from "../shared/pure/caller.ts";
import type { Runtime } from "../containers/runtime.ts";

/**
 * The runtimes of stored containers, the default first. Each is loaded when it is used. Apptainer,
 * which keeps its containers itself, is not one of them.
 */
const RUNTIMES: Readonly<Record<string, () => Promise<Runtime>>> = {
  crun: async () => (await import("./crun/crun.ts")).crunRuntime,
};

/** Names of the runtimes of stored containers, the default first. */
export const RUNTIME_NAMES: readonly string[] = Object.keys(RUNTIMES);

/** Apptainer's name where runtimes are named. */
const APPTAINER = "apptainer";

/** The runtime that a caller prefers for stored containers, by HPK_RUNTIME. */
export function preferredRuntime({ environment }: Caller): string {
  const named = environment["HPK_RUNTIME"];
  return named && named !== APPTAINER ? named : RUNTIME_NAMES[0]!;
}

/**
 * Loads a runtime.
 *
 * @throws {HpkError} When it does not exist.
 */
export function runtimeNamed(name: string): Promise<Runtime> {
  const load = Object.hasOwn(RUNTIMES, name) ? RUNTIMES[name] : undefined;
  if (load !== undefined) return load();
  throw new HpkError({
    what: `cannot use the runtime '${name}'`,
    why: name === APPTAINER ? "it only runs Apptainer's own images" : "it is unknown",
    fix: `use one of ${[APPTAINER, ...RUNTIME_NAMES].filter((known) => known !== name).join(", ")}`,
  });
}

/** Optional operations of a runtime, as named in messages. */
const OPTIONAL = {
  exec: "run a command in a container",
  attach: "attach to a container",
} as const;

/**
 * An optional operation of a runtime.
 *
 * @throws {HpkError} When the runtime does not support it.
 */
export async function verbOf<V extends keyof typeof OPTIONAL>(
  name: string,
  verb: V,
): Promise<NonNullable<Runtime[V]>> {
  const found = (await runtimeNamed(name))[verb];
  if (found !== undefined) return found;
  throw new HpkError({
    what: `cannot ${OPTIONAL[verb]} of the runtime '${name}'`,
    why: "that runtime does not support it",
    fix: "run the container with another runtime, see 'hpktainer container run --help'",
  });
}

/** The programs that the runtimes of stored containers require. */
export async function programsOfRuntimes(): Promise<readonly Program[]> {
  const runtimes = await Promise.all(Object.values(RUNTIMES).map((load) => load()));
  return runtimes.flatMap(({ programs }) => programs);
}
