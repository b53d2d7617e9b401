import { findProgram } from "@hpk/core/os";

/** Where programs are looked for besides PATH: a unit's or an administrator's PATH may lack sbin. */
const SYSTEM_DIRECTORIES = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];

/**
 * Finds a program that is used where it is there.
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
