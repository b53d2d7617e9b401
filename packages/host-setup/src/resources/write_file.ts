import { HpkError } from "@hpk/core";
import { faultPoint, removeIfExists, writeFully } from "@hpk/core/os";

/**
 * Temporary path of a file's text until it replaces the file: one fixed name, so that the next run
 * finds what a kill leaves.
 */
export function temporaryOf(path: string): string {
  return `${path}.hpk-new`;
}

/**
 * Writes a file atomically, and to the disk before it returns.
 *
 * @throws {HpkError} If the file system is read-only or full, or we may not write.
 */
export function writeWhole(path: string, text: string, mode = 0o644): void {
  const temporary = temporaryOf(path);
  try {
    // The remains of a kill may be longer.
    const file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
    try {
      writeFully(file, new TextEncoder().encode(text));
      Deno.chmodSync(temporary, mode);
      file.syncSync();
    } finally {
      file.close();
    }
    faultPoint(`written ${temporary}`);
    Deno.renameSync(temporary, path);
  } catch (error) {
    try {
      removeIfExists(temporary);
    } catch {
      // The first error is the one that matters.
    }
    throw explain(`cannot write ${path}`, error);
  }
}

/** Turns an error of the file system into one that says what to do; returns others unchanged. */
export function explain(what: string, error: unknown): unknown {
  const known = FILE_ERRORS.find(([pattern]) => pattern.test(String(error)));
  if (known === undefined) return error;
  return new HpkError({ what, why: known[1], fix: known[2] }, { cause: error });
}

const FILE_ERRORS: readonly (readonly [RegExp, string, string])[] = [
  [/os error 28\)|os error 122\)/, "the disk is full", "free some space and run host-setup again"],
  [
    /os error 30\)/,
    "the file system is read-only",
    "make it writable (mount -o remount,rw), or change the host's image instead",
  ],
  [
    /os error (1|13)\)|PermissionDenied/,
    "permission is denied, even to root",
    "check 'lsattr' for an immutable flag, and the audit log for SELinux",
  ],
  [/os error 20\)/, "a file is in the way of its directory", "move that file away"],
];
