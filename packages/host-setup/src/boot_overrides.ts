import { chooseMasks, HpkError } from "@hpk/core";
import { faultPoint, listDirectory, readFileIfExists, removeIfExists } from "@hpk/core/os";
import {
  MASKS_DIRECTORY,
  type Overrides,
  OVERRIDES_MARKER,
  planOverrides,
  README_FILE,
} from "./pure/boot_overrides.ts";
import { explain, temporaryOf, writeWhole } from "./resources/write_file.ts";

/** Result of a run. */
export interface WrittenOverrides {
  readonly overrides: Overrides;
  /** Paths of the files that were written or removed. */
  readonly changed: readonly string[];
}

/**
 * Writes the files with which plain Apptainer boots a container in the host's network, or updates
 * them. A run that was cut short is completed by the next one.
 *
 * @param destination Path of the directory; it is created if needed.
 * @param allow Units, or groups of units, that may run.
 * @throws {HpkError} If the directory is not ours, or cannot be written.
 */
export function writeOverrides(
  destination: string,
  allow: readonly string[],
): WrittenOverrides {
  const directory = absolute(destination);
  const masks = chooseMasks({ allow, hostNetwork: true });
  checkOurs(directory);
  const overrides = planOverrides(directory, masks, allow);
  const changed: string[] = [];
  try {
    Deno.mkdirSync(`${directory}/${MASKS_DIRECTORY}`, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw explain(`cannot make ${directory}`, error);
  }
  faultPoint("overrides.directory");
  for (const [name, text] of overrides.files) {
    const path = `${directory}/${name}`;
    if (readFileIfExists(path) === text) continue;
    writeWhole(path, text);
    changed.push(path);
  }
  faultPoint("overrides.written");
  for (const unit of listDirectory(`${directory}/${MASKS_DIRECTORY}`) ?? []) {
    const name = `${MASKS_DIRECTORY}/${unit}`;
    if (overrides.files.has(name)) continue;
    removeIfExists(`${directory}/${name}`);
    changed.push(`${directory}/${name}`);
  }
  return { overrides, changed };
}

/**
 * Apptainer separates binds by commas, and their parts by colons; the command is quoted for a
 * shell.
 */
function absolute(destination: string): string {
  const path = destination.startsWith("/") ? destination : `${Deno.cwd()}/${destination}`;
  const directory = path.replace(/\/+$/, "");
  if (directory !== "" && !/[,:\s"'\\$`]/.test(directory)) return directory;
  throw new HpkError({
    what: `cannot write to '${destination}'`,
    why: directory === ""
      ? "that is the root directory"
      : "the path of a bind cannot contain commas, colons, blanks or quotes",
    fix: "choose another directory",
  });
}

function checkOurs(directory: string): void {
  let names: string[] | undefined;
  try {
    names = listDirectory(directory);
  } catch (error) {
    throw explain(`cannot write to ${directory}`, error);
  }
  const foreign = (names ?? []).filter((name) =>
    name !== temporaryOf(README_FILE) && name !== "etc"
  );
  // A run that was cut short before it wrote the README leaves an empty tree.
  const isFresh = foreign.length === 0 &&
    (listDirectory(`${directory}/${MASKS_DIRECTORY}`) ?? []).length === 0 &&
    ["", "/systemd"].every((path) => (listDirectory(`${directory}/etc${path}`) ?? []).length <= 1);
  const text = isFresh ? OVERRIDES_MARKER : readFileIfExists(`${directory}/${README_FILE}`);
  if (text?.startsWith(OVERRIDES_MARKER)) return;
  throw new HpkError({
    what: `cannot write to ${directory}`,
    why: "it contains files that host-setup did not write",
    fix: "choose an empty or new directory",
  });
}
