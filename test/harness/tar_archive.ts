/** Writes tar archives (ustar, POSIX.1-1988) with arbitrary names, including hostile ones. */

/** An entry of an archive. */
export interface TarEntry {
  /** As stored in the archive, without any processing. At most 100 bytes. */
  path: string;
  /** Default: a file. */
  type?: "file" | "directory" | "symlink" | "hardlink" | "fifo" | "character";
  /** Contents of a file. */
  data?: string | Uint8Array;
  /** A link's target. */
  link?: string;
  /** Permissions. Default 0o755 of directories, 0o644 of others. */
  mode?: number;
  /** Owner. Default 0. */
  uid?: number;
  /** Group. Default 0. */
  gid?: number;
  /** Number of a device. Default 0, 0. */
  device?: readonly [major: number, minor: number];
}

const BLOCK = 512;

/** Type flags (ustar). */
const FLAGS = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  character: "3",
  directory: "5",
  fifo: "6",
} as const;

/**
 * Modification time of every entry, in seconds since 1970: constant, so that archives are
 * reproducible.
 */
const TIME = 1_750_000_000;

/** Makes an archive. */
export function tar(entries: readonly TarEntry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const data = typeof entry.data === "string"
      ? new TextEncoder().encode(entry.data)
      : entry.data ?? new Uint8Array();
    parts.push(header(entry, data.length), data, new Uint8Array(-data.length & (BLOCK - 1)));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function header(entry: TarEntry, size: number): Uint8Array {
  const { path, type = "file", link = "", uid = 0, gid = 0, device = [0, 0] } = entry;
  const mode = entry.mode ?? (type === "directory" ? 0o755 : 0o644);
  const block = new Uint8Array(BLOCK);
  const put = (at: number, length: number, text: string): void => {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > length) throw new Error(`tar: too long for its field: ${text}`);
    block.set(bytes, at);
  };
  const octal = (value: number, length: number): string =>
    value.toString(8).padStart(length - 1, "0") + "\0";
  put(0, 100, path);
  put(100, 8, octal(mode, 8));
  put(108, 8, octal(uid, 8));
  put(116, 8, octal(gid, 8));
  put(124, 12, octal(size, 12));
  put(136, 12, octal(TIME, 12));
  put(148, 8, " ".repeat(8));
  put(156, 1, FLAGS[type]);
  put(157, 100, link);
  put(257, 8, "ustar\x0000");
  put(329, 8, octal(device[0], 8));
  put(337, 8, octal(device[1], 8));
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, 8, sum.toString(8).padStart(6, "0") + "\0 ");
  return block;
}
