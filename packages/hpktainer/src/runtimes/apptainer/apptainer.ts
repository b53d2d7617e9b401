import { missingRootCapabilities } from "@hpk/core/capabilities";
import { execInPlace } from "@hpk/core/exec";
import { PROGRAMS, requireProgram } from "@hpk/core/programs";

/**
 * Becomes Apptainer: this process is replaced by it.
 *
 * @param args Its arguments.
 * @throws {HpkError} When it is not installed.
 */
export function becomeApptainer(args: readonly string[]): never {
  const path = requireProgram(PROGRAMS.apptainer);
  return execInPlace(path, ["apptainer", ...args]);
}

/** Sets variables for Apptainer in this process's environment. */
export function prepareEnvironment(variables: Readonly<Record<string, string>>): void {
  const all = Deno.uid() === 0
    ? apptainerVariables(variables, Deno.env.toObject(), "self")
    : variables;
  for (const [name, value] of Object.entries(all)) Deno.env.set(name, value);
}

/**
 * Variables for Apptainer, as root.
 *
 * Root inside a container of another runtime may lack a capability, and Apptainer fails if it cannot
 * have them all: it is told to do without those.
 *
 * @param variables What it is told besides.
 * @param environment The environment that they are added to.
 * @param pid The process that becomes Apptainer.
 */
export function apptainerVariables(
  variables: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
  pid: number | "self",
): Record<string, string> {
  const missing = missingRootCapabilities(pid);
  if (missing.length === 0) return { ...variables };
  const asked = (environment[DROPPED] ?? "").split(",").filter((name) => name !== "");
  return { ...variables, [DROPPED]: [...new Set([...asked, ...missing])].join(",") };
}

/** The capabilities that Apptainer does without. */
const DROPPED = "APPTAINER_DROP_CAPS";
