/** Reads a container's files from outside, without leaving its root. */

import { type Entry, type Look, resolveInRoot } from "./pure/root_path.ts";

/** Any of the three execute permissions. */
const ANY_EXECUTE = 0o111;

/**
 * Inspects the files of a stopped container: its changes over the image.
 *
 * @param layers Directories, the uppermost first.
 */
export function lookInto(layers: readonly string[]): Look {
  return (path) => {
    for (const layer of layers) {
      const entry = entryAt(`${layer}${path}`);
      if (entry === "whiteout") return undefined;
      if (entry !== undefined) return entry;
    }
    return undefined;
  };
}

/** Text of a container's file; empty if it does not exist. */
export function readInRoot(layers: readonly string[], path: string): string {
  const found = resolveInRoot(lookInto(layers), path);
  if (found?.entry.kind !== "file") return "";
  const layer = layers.find((root) => entryAt(`${root}${found.path}`) !== undefined);
  return layer === undefined ? "" : Deno.readTextFileSync(`${layer}${found.path}`);
}

/** How much of a script the kernel reads to find its interpreter, in bytes (BINPRM_BUF_SIZE). */
const HEAD_SIZE = 256;

/**
 * The beginning of a container's file, one character per byte.
 *
 * @param path Without links.
 */
export function readHead(layers: readonly string[], path: string): string {
  const layer = layers.find((root) => entryAt(`${root}${path}`) !== undefined);
  if (layer === undefined) return "";
  using file = Deno.openSync(`${layer}${path}`);
  const buffer = new Uint8Array(HEAD_SIZE);
  const count = file.readSync(buffer) ?? 0;
  return String.fromCharCode(...buffer.subarray(0, count));
}

/** A character device 0:0 stands for a file that was removed (overlayfs.rst, "whiteouts"). */
function entryAt(path: string): Entry | "whiteout" | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
  if (info.isSymlink) return { kind: "link", target: Deno.readLinkSync(path) };
  if (info.isDirectory) return { kind: "directory" };
  if (info.isFile) return { kind: "file", executable: ((info.mode ?? 0) & ANY_EXECUTE) !== 0 };
  return info.isCharDevice && info.rdev === 0 ? "whiteout" : { kind: "other" };
}
