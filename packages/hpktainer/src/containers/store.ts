/** The containers on disk, one directory each. */

import { type ContainerRecord, HpkError, type ProcessId, requireRoot } from "@hpk/core";
import type { Caller } from "../shared/pure/caller.ts";
import { lockExclusive, openLockFile } from "@hpk/core/ffi";
import {
  identify,
  isAlive,
  Ledger,
  listDirectory,
  readFileIfExists,
  readPidFile,
  removeIfExists,
  writeFileAtomic,
} from "@hpk/core/os";
import {
  type ContainerLife,
  type FoundContainer,
  parseStoredContainer,
  statusOf,
  type StoredContainer,
  UNSEEN_EXIT,
} from "./pure/stored_container.ts";
import { CONTAINERS_DIRECTORY, pathsOf } from "./paths.ts";

/** Checks that the caller is root: stored containers have files of any owner. */
export function requireRootForContainers(caller: Caller): void {
  requireRoot(caller, "cannot manage containers of OCI images");
}

/**
 * Stores a new container.
 *
 * @throws {HpkError} When the name is taken.
 */
export function storeContainer(container: StoredContainer): void {
  withStoreLock(() => {
    const namesake = listStored().find(({ name }) => name === container.name);
    if (namesake !== undefined) {
      throw new HpkError({
        what: `cannot name the container '${container.name}'`,
        why: `a container of that name exists (${namesake.id})`,
        fix: `choose another name, or use 'hpktainer container rm ${container.name}' first`,
      });
    }
    Deno.mkdirSync(pathsOf(container.id).directory, { mode: 0o700 });
    updateContainer(container);
  });
}

/** Runs a function while no other process stores a container or sweeps. */
export function withStoreLock<T>(change: () => T): T {
  Deno.mkdirSync(CONTAINERS_DIRECTORY, { recursive: true, mode: 0o700 });
  using lock = openLockFile(`${CONTAINERS_DIRECTORY}/lock`);
  lockExclusive(lock);
  return change();
}

/** Updates the record of a container. */
export function updateContainer(container: StoredContainer): void {
  const path = pathsOf(container.id).record;
  const text = `${JSON.stringify(container)}\n`;
  if (!container.options.remove) return writeFileAtomic(path, text, 0o600);
  // Not synced: after a crash of the host it is removed, whatever its record says.
  Deno.writeTextFileSync(`${path}.new`, text, { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
}

/** Removes a container with all its files. */
export function removeStored(id: string): void {
  removeIfExists(pathsOf(id).directory);
}

/** Reads a stored container; undefined if it does not exist or its record is invalid. */
export function readStored(id: string): StoredContainer | undefined {
  const text = readFileIfExists(pathsOf(id).record);
  if (text === undefined) return undefined;
  try {
    return parseStoredContainer(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Ids of all stored containers, including those without a record. */
export function storedIds(): string[] {
  return (listDirectory(CONTAINERS_DIRECTORY) ?? []).filter((name) => /^[0-9a-f]{12}$/.test(name));
}

/** Every container, newest first. */
export function listStoredContainers(): FoundContainer[] {
  const records = new Ledger().list();
  return listStored().map((container) =>
    found(container, records.find(({ id }) => id === container.id))
  );
}

/**
 * Finds a container by its name, its id, or a prefix of its id.
 *
 * @throws {HpkError} When there is none, or the prefix is ambiguous.
 */
export function findStoredContainer(wanted: string): FoundContainer {
  const all = listStoredContainers();
  const exact = all.find(({ container: { id, name } }) => id === wanted || name === wanted);
  const [match, ...others] = exact === undefined
    ? all.filter(({ container }) => wanted !== "" && container.id.startsWith(wanted))
    : [exact];
  if (match !== undefined && others.length === 0) return match;
  throw new HpkError({
    what: `cannot find the container '${wanted}'`,
    why: match === undefined
      ? "no container of an OCI image has that name or id"
      : "several ids begin with it",
    fix: "see 'hpktainer container ls -a'",
  });
}

/**
 * Finds a running container.
 *
 * @param deed What is to be done with it, for the message.
 * @throws {HpkError} When there is none, or it does not run.
 */
export function findRunning(
  wanted: string,
  deed: string,
): FoundContainer & { readonly record: ContainerRecord } {
  const container = findStoredContainer(wanted);
  const { record, status } = container;
  if (record !== undefined && status === "running") return { ...container, record };
  throw new HpkError({
    what: `cannot ${deed} '${wanted}'`,
    why: "the container does not run",
    fix: `start it with 'hpktainer container start ${wanted}'`,
  });
}

/**
 * The first process of a running container.
 *
 * @param deed What is to be done with it, for the message.
 * @throws {HpkError} When it has ended.
 */
export function firstProcessOf(id: string, deed: string): ProcessId {
  const pid = readPidFile(pathsOf(id).pid);
  const process = pid === undefined ? undefined : identify(pid);
  if (process !== undefined) return process;
  throw new HpkError({
    what: `cannot ${deed} '${id}'`,
    why: "the container has ended",
    fix: "start it again",
  });
}

/** The exit status written by its supervisor; undefined if there is none. */
export function readExitCode(id: string): number | undefined {
  const text = readFileIfExists(pathsOf(id).exitStatus)?.trim();
  return text === undefined || !/^[0-9]+$/.test(text) ? undefined : Number(text);
}

function listStored(): StoredContainer[] {
  return storedIds().flatMap((id) => readStored(id) ?? [])
    .sort((a, b) => a.created < b.created ? 1 : a.created > b.created ? -1 : 0);
}

function found(container: StoredContainer, record: ContainerRecord | undefined): FoundContainer {
  const exit = readExitCode(container.id);
  const life: ContainerLife = {
    alive: record !== undefined && isAlive(record.owner),
    phase: record?.phase,
    exitCode: exit,
  };
  const status = statusOf(container, life);
  const ended = status === "exited" || status === "stopping";
  return {
    container,
    status,
    record,
    exitCode: ended ? exit ?? UNSEEN_EXIT : undefined,
    finished: ended ? endTime(container.id) : undefined,
  };
}

function endTime(id: string): string | undefined {
  try {
    return Deno.statSync(pathsOf(id).exitStatus).mtime?.toISOString();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
