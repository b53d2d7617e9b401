import { execInPlace } from "@hpk/core/ffi";
import { missingRootCapabilities, PROGRAMS, requireProgram } from "@hpk/core/os";

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

/**
 * Sets variables for Apptainer in this process's environment.
 *
 * Root inside a container of another runtime may lack a capability, and Apptainer fails if it cannot
 * have them all: it is told to do without those.
 */
export function prepareEnvironment(variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  if (Deno.uid() !== 0) return;
  const missing = missingRootCapabilities();
  if (missing.length === 0) return;
  const asked = (Deno.env.get("APPTAINER_DROP_CAPS") ?? "").split(",").filter((name) =>
    name !== ""
  );
  Deno.env.set("APPTAINER_DROP_CAPS", [...new Set([...asked, ...missing])].join(","));
}
