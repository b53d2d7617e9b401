/**
 * Files that only grow by whole lines, and of which at most two parts are kept: the one that is written
 * to, and the one before.
 */

import { ENOENT, SystemCallError } from "../ffi/errno.ts";
import {
  type FileDescriptor,
  lockExclusive,
  openForAppending,
  openRealDirectory,
  writeText,
} from "../ffi/fd.ts";
import { isOpenFileAt } from "./ledger.ts";

/** A file of lines, and how it is kept. */
export interface BoundedLog {
  /** Its directory, which is made where it does not exist; the one above exists. */
  readonly directory: string;
  /** Its name in the directory. */
  readonly name: string;
  /** Its permissions, such as 0o644, whatever the umask. */
  readonly mode: number;
  /** Size in bytes from which on it is set aside. Two parts are kept, so twice as much is used. */
  readonly limit: number;
}

/** Anyone may list the directory; only its owner changes it. */
const DIRECTORY_MODE = 0o755;
const WRITABLE_BY_OTHERS = 0o022;

/** Path of the part before the one that is written to. */
export function olderPart({ directory, name }: Pick<BoundedLog, "directory" | "name">): string {
  return `${directory}/${name}.1`;
}

/**
 * Adds a line to a log, in one piece: of several writers each has lines of its own.
 *
 * @param line With its line feed.
 * @throws {Error} When it cannot be: the disk is full or cannot be written to, or the directory is not
 * this user's alone.
 */
export function appendLine(log: BoundedLog, line: string): void {
  using directory = openLogDirectory(log.directory);
  using file = openLog(log, directory);
  writeText(file.fd, line);
  if (sizeOf(file) > log.limit) setAside(log, directory, file);
}

/**
 * Opens a log for a program that is to write to it.
 *
 * @throws {Error} As {@linkcode appendLine} does.
 */
export function openBoundedLog(log: BoundedLog): FileDescriptor {
  using directory = openLogDirectory(log.directory);
  return openLog(log, directory);
}

/**
 * Keeps the bound of a log that is open for as long as a process lives: once it has come to its limit
 * it is copied aside and emptied.
 *
 * @param fd A descriptor of it, opened for adding to its end.
 * @throws {Error} As {@linkcode appendLine} does.
 */
export function emptyIfLong(log: BoundedLog, fd: number): void {
  const open = `/proc/self/fd/${fd}`;
  if (Deno.statSync(open).size <= log.limit) return;
  using directory = openLogDirectory(log.directory);
  const older = olderPart({ ...log, directory: pathOf(directory) });
  Deno.writeFileSync(`${older}.tmp`, Deno.readFileSync(open), { mode: log.mode });
  Deno.renameSync(`${older}.tmp`, older);
  Deno.truncateSync(open);
}

/** Opens the directory, where nobody else can put a link or take a file away. */
function openLogDirectory(path: string): FileDescriptor {
  const directory = openOrMake(path);
  const { uid, mode } = Deno.statSync(pathOf(directory));
  if (uid === Deno.uid() && ((mode ?? 0) & WRITABLE_BY_OTHERS) === 0) return directory;
  directory.close();
  throw new Error(`${path} can be changed by others`);
}

function openOrMake(path: string): FileDescriptor {
  try {
    return openRealDirectory(path);
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== ENOENT) throw error;
  }
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const directory = openRealDirectory(path);
  // Whatever the umask is.
  Deno.chmodSync(pathOf(directory), DIRECTORY_MODE);
  return directory;
}

function openLog({ name, mode }: BoundedLog, directory: FileDescriptor): FileDescriptor {
  const file = openForAppending(`${pathOf(directory)}/${name}`, mode);
  const current = Deno.statSync(pathOf(file)).mode ?? 0;
  if ((current & 0o777) !== mode) Deno.chmodSync(pathOf(file), mode);
  return file;
}

/** Renames a log that has come to its limit, unless another process has done so. */
function setAside(log: BoundedLog, directory: FileDescriptor, file: FileDescriptor): void {
  const within = { ...log, directory: pathOf(directory) };
  const path = `${within.directory}/${log.name}`;
  lockExclusive(file);
  if (isOpenFileAt(file, path)) Deno.renameSync(path, olderPart(within));
}

function sizeOf(file: FileDescriptor): number {
  return Deno.statSync(pathOf(file)).size;
}

/** A path to what a descriptor has open, wherever it is by now. */
function pathOf({ fd }: FileDescriptor): string {
  return `/proc/self/fd/${fd}`;
}
