/**
 * Writes a file whole or not at all: to a temporary name beside it, which is then renamed.
 *
 * @param path Where to; its directory exists.
 * @param mode Permissions, such as 0o644, whatever the umask.
 */
export function writeFileAtomic(path: string, text: string, mode = 0o644): void {
  const temporary = `${path}.${Deno.pid}.tmp`;
  try {
    using file = Deno.openSync(temporary, { write: true, create: true, truncate: true, mode });
    writeFully(file, new TextEncoder().encode(text));
    // The umask is the user's, for the container.
    Deno.chmodSync(temporary, mode);
    file.syncSync();
    Deno.renameSync(temporary, path);
  } catch (error) {
    // As on a full disk, of which the part that fitted would take more.
    removeIfExists(temporary);
    throw error;
  }
}

/** Writes all bytes: a single call may write fewer, as on a disk that is nearly full. */
export function writeFully(
  file: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
}

/**
 * Makes a directory that anyone may read, whatever the umask, and those that lead to it.
 *
 * @param root The first of them that is ours.
 * @param path The directory, in or below the root.
 */
export function makeDirectory(root: string, path: string): void {
  const steps = path.slice(root.length).split("/").filter((step) => step !== "");
  for (let length = 0; length <= steps.length; length++) {
    const directory = [root, ...steps.slice(0, length)].join("/");
    try {
      Deno.mkdirSync(directory, { mode: DIRECTORY_MODE });
      Deno.chmodSync(directory, DIRECTORY_MODE);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/** Directory modes: anyone may list containers, only root changes them. */
const DIRECTORY_MODE = 0o755;

/** Contents of a file; undefined when it does not exist. */
export function readFileIfExists(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes a file, or a directory with what is in it; one that is not there is not an error. */
export function removeIfExists(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes a directory if it is empty. */
export function removeIfEmpty(path: string): void {
  if (listDirectory(path)?.length === 0) removeIfExists(path);
}

/** Names in a directory, sorted; undefined when it does not exist. */
export function listDirectory(path: string): string[] | undefined {
  try {
    return [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether there is something of that name, be it a link to nothing. */
export function exists(path: string): boolean {
  return lookAt(path) !== undefined;
}

/** Whether there is a regular file of that name. */
export function isFile(path: string): boolean {
  return lookAt(path)?.isFile === true;
}

/** What stands at a path, links not followed; undefined where there is nothing. */
function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}
