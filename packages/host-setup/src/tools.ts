import { findProgram, programInPath } from "@hpk/core/os";

/**
 * Finds an optional program.
 *
 * @return Its absolute path, or undefined.
 */
export function findTool(name: string): string | undefined {
  return findProgram(programInPath(name, `install ${name}`));
}
