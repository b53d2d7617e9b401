import { missingRootCapabilities } from "@hpk/core/capabilities";
import { execInPlace } from "@hpk/core/exec";
import { logProgram } from "@hpk/core/log";
import { findProgram, PROGRAMS, requireProgram } from "@hpk/core/programs";
import type { Caller } from "../../shared/pure/caller.ts";

/** Name of the runtime in records. */
export const APPTAINER = "apptainer";

/** Path of Apptainer by the caller's PATH; undefined if it is not installed. */
export function findApptainer({ environment }: Caller): string | undefined {
  return findProgram(PROGRAMS.apptainer, environment["PATH"] ?? "");
}

/**
 * As {@linkcode findApptainer}, but fails without it.
 *
 * @throws {HpkError} When it is not installed.
 */
export function requireApptainer({ environment }: Caller): string {
  return requireProgram(PROGRAMS.apptainer, environment["PATH"] ?? "");
}

/**
 * Replaces this process, which is the caller, by Apptainer.
 *
 * @param args Its arguments.
 * @param variables Variables to add to the environment.
 * @throws {HpkError} When it is not installed.
 */
export function becomeApptainer(
  caller: Caller,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): never {
  const path = requireApptainer(caller);
  logProgram([path, ...args]);
  return execInPlace(path, ["apptainer", ...args], variables);
}

/**
 * Variables for an Apptainer that the caller executes or starts.
 *
 * Root inside a container of another runtime may lack a capability, and Apptainer fails unless it
 * gets all of them: the variables make it drop the missing ones.
 *
 * @param variables Additional variables.
 */
export function apptainerVariables(
  { uid, environment, process }: Pick<Caller, "uid" | "environment" | "process">,
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  const missing = uid === 0 ? missingRootCapabilities(process.pid) : [];
  if (missing.length === 0) return { ...variables };
  const asked = (environment[DROPPED] ?? "").split(",").filter((name) => name !== "");
  return { ...variables, [DROPPED]: [...new Set([...asked, ...missing])].join(",") };
}

/** The capabilities that Apptainer drops. */
const DROPPED = "APPTAINER_DROP_CAPS";
