import type { ImageRecord } from "./pure/image_record.ts";

/**
 * Detects that an image's file, or the index of its layout, has changed.
 *
 * @param path An archive, or the directory of a layout.
 * @return Undefined if the file does not exist.
 */
export function sourceStamp(path: string): NonNullable<ImageRecord["source"]> | undefined {
  try {
    let info = Deno.statSync(path);
    if (info.isDirectory) info = Deno.statSync(`${path}/index.json`);
    return { size: info.size, changed: info.mtime?.getTime() ?? 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether an image is still what its file contains; a removed file counts as unchanged. */
export function isUnchanged(record: ImageRecord, path: string): boolean {
  const now = sourceStamp(path);
  return now === undefined || isSameStamp(now, record.source);
}

/** Whether two stamps show an unchanged file; false if one is missing. */
export function isSameStamp(a: ImageRecord["source"], b: ImageRecord["source"]): boolean {
  return a !== null && b !== null && a.size === b.size && a.changed === b.changed;
}
