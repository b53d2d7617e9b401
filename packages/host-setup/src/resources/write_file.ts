import { HpkError } from "@hpk/core";
import { faultPoint, removeIfExists } from "@hpk/core/os";

/**
 * Where a file's text is written before it takes the file's place: one fixed name, so that what a kill
 * leaves is found by whoever comes next.
 */
export function temporaryOf(path: string): string {
  return `${path}.hpk-new`;
}

/**
 * Writes a file whole or not at all, and to the disk before it returns.
 *
 * @throws {HpkError} When the file system is read-only or full, or we may not write.
 */
export function writeWhole(path: string, text: string): void {
  const temporary = temporaryOf(path);
  try {
    // What a kill left may be longer.
    const file = Deno.openSync(temporary, { write: true, create: true, truncate: true });
    try {
      const bytes = new TextEncoder().encode(text);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      Deno.chmodSync(temporary, 0o644);
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

/** An error of the file system as one that says what to do; others as they are. */
export function explain(what: string, error: unknown): unknown {
  const known = FILE_ERRORS.find(([pattern]) => pattern.test(String(error)));
  if (known === undefined) return error;
  return new HpkError({ what, why: known[1], fix: known[2] }, { cause: error });
}

const FILE_ERRORS: readonly (readonly [RegExp, string, string])[] = [
  [/os error 28\)|os error 122\)/, "the disk is full", "make room and run host-setup again"],
  [
    /os error 30\)/,
    "the file system is read-only",
    "make it writable (mount -o remount,rw), or leave this host to whoever builds its image",
  ],
  [
    /os error (1|13)\)|PermissionDenied/,
    "permission is denied, to root as well",
    "see 'lsattr' for an immutable flag, and the audit log for SELinux",
  ],
  [/os error 20\)/, "a file is in the way of its directory", "move that file away"],
];
