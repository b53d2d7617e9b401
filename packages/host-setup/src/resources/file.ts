import { exists, readFileIfExists, removeIfExists, runCommand } from "@hpk/core/os";
import { findTool } from "../tools.ts";
import { isOurText, UDEV_PATH, UNIT_LINK, UNIT_PATH } from "../pure/own_files.ts";
import type { Resource } from "./resource.ts";
import { explain, temporaryOf, writeWhole } from "./write_file.ts";

/**
 * Suffix under which a hand-edited file of ours is kept. No program reads files with this suffix.
 */
export function editedCopyOf(path: string): string {
  return `${path}.edited`;
}

/**
 * Files of ours; the value is the file's text.
 *
 * @param isWritten Whether a text is one that we wrote to a path.
 */
export function fileResource(isWritten: (path: string, text: string) => boolean): Resource {
  const changed: string[] = [];
  return {
    kind: "file",
    inspect: (paths) => paths.map((path) => readFileIfExists(path) ?? null),
    async apply({ id: path, old, new: text }) {
      if (old !== null && !isWritten(path, old)) writeWhole(editedCopyOf(path), old);
      writeWhole(path, text!);
      await label(path);
      changed.push(path);
    },
    async remove({ id: path, prior }, now) {
      removeIfExists(temporaryOf(path));
      if (now === null) return undefined;
      if (!isOurText(now)) return "it is no longer ours: its first line is gone";
      changed.push(path);
      if (prior === null) removeFile(path);
      else {
        writeWhole(path, prior);
        await label(path);
      }
      return undefined;
    },
    finish: () => reloadReaders(changed.splice(0)),
  };
}

/** Symbolic links; the value is the link's target. */
export function symlinkResource(): Resource {
  const changed: string[] = [];
  return {
    kind: "symlink",
    inspect: (paths) => paths.map(readLinkIfExists),
    apply({ id: path, old, new: target }) {
      if (old !== null) removeFile(path);
      try {
        Deno.symlinkSync(target!, path);
      } catch (error) {
        throw explain(`cannot make the link ${path}`, error);
      }
      changed.push(path);
    },
    remove({ id: path }, now) {
      if (now !== null) removeFile(path);
      changed.push(path);
      return undefined;
    },
    finish: () => reloadReaders(changed.splice(0)),
  };
}

function removeFile(path: string): void {
  try {
    removeIfExists(path);
  } catch (error) {
    throw explain(`cannot remove ${path}`, error);
  }
}

function readLinkIfExists(path: string): string | null {
  try {
    return Deno.readLinkSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    // Not a link: something else has that name.
    if (/os error 22\)/.test(String(error))) return "(not a link)";
    throw error;
  }
}

/** Applies SELinux's label for its path to a file, if SELinux is enforcing. */
async function label(path: string): Promise<void> {
  if (!isSelinuxEnforcing()) return;
  const restorecon = findTool("restorecon");
  if (restorecon !== undefined) await runCommand(restorecon, ["-F", path]);
}

/** Whether SELinux is enforcing (selinuxfs, enforce). */
export function isSelinuxEnforcing(): boolean {
  return readFileIfExists("/sys/fs/selinux/enforce")?.trim() === "1";
}

/** Makes programs reload files that they cache. */
async function reloadReaders(paths: readonly string[]): Promise<void> {
  const run = async (program: string, args: string[]): Promise<void> => {
    const path = findTool(program);
    if (path !== undefined) await runCommand(path, args);
  };
  if (paths.includes(UDEV_PATH) && exists("/run/udev/control")) {
    await run("udevadm", ["control", "--reload"]);
  }
  // sd_booted(3): the directory exists exactly if systemd is the init.
  if ((paths.includes(UNIT_PATH) || paths.includes(UNIT_LINK)) && exists("/run/systemd/system")) {
    await run("systemctl", ["daemon-reload"]);
  }
}
