import type { Resource } from "./resource.ts";
import { explain } from "./write_file.ts";

/** Value of a directory. */
export const DIRECTORY = "directory";

/** Directories that must exist; their contents do not matter. */
export function directoryResource(): Resource {
  return {
    kind: "directory",
    inspect: (paths) => paths.map((path) => isDirectory(path) ? DIRECTORY : null),
    apply({ id: path }) {
      try {
        Deno.mkdirSync(path, { mode: 0o755 });
        Deno.chmodSync(path, 0o755);
      } catch (error) {
        throw explain(`cannot make the directory ${path}`, error);
      }
    },
    remove({ id: path }) {
      try {
        Deno.removeSync(path);
        return undefined;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        // ENOTEMPTY, asm-generic/errno.h
        if (/os error 39\)/.test(String(error))) return "it contains other files";
        throw explain(`cannot remove the directory ${path}`, error);
      }
    },
  };
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
