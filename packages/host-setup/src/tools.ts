import { findProgram } from "@hpk/core/os";

/** Directories searched besides PATH: the PATH of a unit or an administrator may lack sbin. */
const SYSTEM_DIRECTORIES = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];

/**
 * Finds an optional program.
 *
 * @return Its absolute path, or undefined.
 */
export function findTool(name: string): string | undefined {
  const directories = () => [
    ...(Deno.env.get("PATH") ?? "").split(":").filter((directory) => directory.startsWith("/")),
    ...SYSTEM_DIRECTORIES,
  ];
  return findProgram({ name, fix: `install ${name}`, directories });
}
