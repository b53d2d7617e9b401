import type { ProcessId } from "@hpk/core";
import { argumentsOf, identify, programNameOf, readFileIfExists } from "@hpk/core/os";
import { pathsOf } from "./paths.ts";

/** The process whose life is a container's, conmon; undefined where none is known, or it has ended. */
export function identifySupervisor(id: string): ProcessId | undefined {
  const pid = Number(readFileIfExists(pathsOf(id).conmonPid)?.trim());
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const words = argumentsOf(pid);
  // Of one that is ending the name is left. Of another that has the number by now the id is no argument.
  const isOurs = words.length === 0 ? programNameOf(pid) === "conmon" : words.includes(id);
  return isOurs ? identify(pid) : undefined;
}
