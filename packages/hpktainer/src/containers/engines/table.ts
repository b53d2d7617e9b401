import { HpkError } from "@hpk/core";
import type { Engine } from "../engine.ts";

/** The engines of the runtimes that run stored containers. Each is loaded when it is used. */
const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  crun: async () => (await import("../../runtimes/crun/engine.ts")).crunEngine,
};

/**
 * Loads the engine of a runtime.
 *
 * @throws {HpkError} When this version does not have it, as for a container of a newer version.
 */
export function engineNamed(runtime: string): Promise<Engine> {
  const load = Object.hasOwn(ENGINES, runtime) ? ENGINES[runtime] : undefined;
  if (load !== undefined) return load();
  throw new HpkError({
    what: `cannot manage a container of the runtime '${runtime}'`,
    why: "this version of hpktainer does not have that runtime",
    fix: `use one that has it; this one has ${Object.keys(ENGINES).join(", ")}`,
  });
}
