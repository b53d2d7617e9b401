/** Lists a tree of files as comparable text. */
import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";

/** Larger files (images, logs) are compared by size only, to keep a snapshot fast. */
const HASH_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * All entries under `dir` (not `dir` itself), as pairs of the path, with `dir` replaced by
 * `shownAs`, and a description: type, mode in octal, owner, and size with the start of the SHA-256,
 * or a symbolic link's target. A file removed from an overlay (a character device 0/0 in its
 * changes) is `removed`. Entries that vanish meanwhile are left out.
 */
export async function listFiles(dir: string, shownAs: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const name of (await ifThere(() => readdir(dir)) ?? []).sort()) {
    const path = `${dir}/${name}`;
    const shown = `${shownAs}/${name}`;
    const what = await ifThere(() => describe(path));
    if (what === undefined) continue;
    found.push([shown, what]);
    if (what.startsWith("directory")) found.push(...await listFiles(path, shown));
  }
  return found;
}

async function describe(path: string): Promise<string> {
  const info = await lstat(path);
  const mode = (info.mode & 0o7777).toString(8).padStart(4, "0");
  const access = `${mode} ${info.uid}:${info.gid}`;
  if (info.isSymbolicLink()) return `link to ${await readlink(path)}`;
  if (info.isDirectory()) return `directory ${access}`;
  if (info.isSocket()) return `socket ${access}`;
  if (info.isFIFO()) return `fifo ${access}`;
  if (info.isCharacterDevice() && info.rdev === 0) return "removed";
  if (!info.isFile()) return `device ${access} ${info.rdev}`;
  if (info.size > HASH_LIMIT_BYTES) return `file ${access} ${info.size} bytes`;
  const content = await readContent(path);
  if (content === undefined) return "namespace";
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return `file ${access} ${info.size} bytes ${hash}`;
}

/** A file's content; undefined for the mount of a namespace, which looks like an empty file but cannot be read. */
async function readContent(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EINVAL") return undefined;
    throw error;
  }
}

async function ifThere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
