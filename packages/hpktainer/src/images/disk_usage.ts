import { listDirectory } from "@hpk/core/os";

/** Unit of `st_blocks` in bytes (inode(7)). */
const BLOCK_SIZE = 512;

/**
 * Disk usage in bytes of a file, or of a directory with everything in it. A file with several names
 * counts once; what is removed meanwhile does not count.
 */
export function diskUsage(path: string): number {
  return usage(path, new Set());
}

function usage(path: string, seen: Set<number>): number {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
  if ((info.nlink ?? 1) > 1 && !info.isDirectory) {
    if (seen.has(info.ino ?? 0)) return 0;
    seen.add(info.ino ?? 0);
  }
  const own = (info.blocks ?? 0) * BLOCK_SIZE;
  if (!info.isDirectory) return own;
  const names = listDirectory(path) ?? [];
  return names.reduce((sum, name) => sum + usage(`${path}/${name}`, seen), own);
}
