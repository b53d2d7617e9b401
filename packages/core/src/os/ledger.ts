import { ENOENT, SystemCallError } from "../ffi/errno.ts";
import { type FileDescriptor, lockExclusive, openLockFile } from "../ffi/fd.ts";
import {
  type ContainerRecord,
  type HostRecord,
  parseContainerRecord,
  parseHostRecord,
  unreadableRecord,
} from "../model/ledger_record.ts";
import type { NameServerPaths } from "../model/name_server.ts";
import { faultPoint } from "./fault_point.ts";
import {
  listDirectory,
  makeDirectory,
  readFileIfExists,
  removeIfExists,
  writeFileAtomic,
} from "./files.ts";

/** Where the ledger lies: on a file system that a reboot clears (file-hierarchy(7), /run). */
const STATE_DIRECTORY = "/run/hpktainer";

/** The last call in this process that takes a ledger's lock, by the ledger's directory. */
const turns = new Map<string, Promise<void>>();

/**
 * What exists on this host on behalf of containers, one file a container. Every change is made under
 * one lock, and nothing is made that is not written here before.
 */
export class Ledger {
  readonly #root: string;

  constructor(root = STATE_DIRECTORY) {
    this.#root = root;
  }

  /** Directory of the containers' records. */
  get recordsDirectory(): string {
    return `${this.#root}/containers`;
  }

  /** Directory of host-local's state: on /run too, so that no address outlives a reboot. */
  get leasesDirectory(): string {
    return `${this.#root}/leases`;
  }

  /** The file whose lock the monitor holds as long as it lives. */
  get monitorLockPath(): string {
    return `${this.#root}/monitor.lock`;
  }

  /** What the host's name server is started with. */
  nameServerPaths(resolvConf: string): NameServerPaths {
    return { names: this.#namesDirectory, pidFile: `${this.#root}/dnsmasq.pid`, resolvConf };
  }

  /**
   * Writes an entry of the name server, or removes it where there is nothing in it.
   *
   * @param owner The id of a container, or what else has entries.
   */
  writeNames(owner: string, entries: string): void {
    const path = `${this.#namesDirectory}/${owner}`;
    if (readFileIfExists(path) === (entries || undefined)) return;
    if (entries === "") return removeIfExists(path);
    this.makeNamesDirectory();
    // Made elsewhere, since the server reads whatever appears in its directory.
    const temporary = `${this.#root}/names.${owner}`;
    writeFileAtomic(temporary, entries);
    Deno.renameSync(temporary, path);
  }

  /** Makes the directory of the name server's entries. */
  makeNamesDirectory(): void {
    makeDirectory(this.#root, this.#namesDirectory);
  }

  /** Who has entries of the name server. */
  listNames(): string[] {
    return listDirectory(this.#namesDirectory) ?? [];
  }

  get #namesDirectory(): string {
    return `${this.#root}/names`;
  }

  /** Makes the directory of a container's own files. */
  makeFilesDirectory(id: string): string {
    const directory = this.filesDirectory(id);
    makeDirectory(this.#root, directory);
    return directory;
  }

  /** Directory of a container's own files. */
  filesDirectory(id: string): string {
    return `${this.#root}/files/${id}`;
  }

  /**
   * Runs a function while no other process changes the ledger. Several calls of one process take
   * turns. Not to be called within itself: it would wait for its own end.
   *
   * @return What the function returns.
   */
  withLock<T>(change: () => Promise<T> | T): Promise<T> {
    return this.#inTurn(async () => {
      using _lock = this.#lock();
      return await change();
    });
  }

  /**
   * Runs a function as {@linkcode withLock} does, where there is a ledger; elsewhere makes none.
   *
   * @return What the function returns; undefined where there is no ledger.
   */
  withExisting<T>(change: () => Promise<T> | T): Promise<T | undefined> {
    return this.#inTurn(async () => {
      using lock = this.#lockExisting();
      return lock === undefined ? undefined : await change();
    });
  }

  /** Every container, oldest first. What cannot be read appears as a record that can be reclaimed. */
  list(): ContainerRecord[] {
    return (listDirectory(this.recordsDirectory) ?? [])
      .filter((name) => name.endsWith(".json"))
      .flatMap((name) => this.read(name.slice(0, -".json".length)) ?? [])
      .sort((a, b) => a.created < b.created ? -1 : a.created > b.created ? 1 : 0);
  }

  /** Whether no container is in it; reads none. */
  isEmpty(): boolean {
    return !(listDirectory(this.recordsDirectory) ?? []).some((name) => name.endsWith(".json"));
  }

  /** Writes a container's record, whole or not at all. */
  write(record: ContainerRecord): void {
    writeFileAtomic(this.#recordPath(record.id), `${JSON.stringify(record)}\n`);
  }

  /** Forgets a container. */
  remove(id: string): void {
    removeIfExists(this.#recordPath(id));
  }

  /** What we changed on the host for all containers; undefined when nothing. */
  readHost(): HostRecord | undefined {
    const text = readFileIfExists(this.#hostPath);
    return text === undefined ? undefined : parseHostRecord(text);
  }

  /** Writes what we are about to change on the host for all containers. */
  writeHost(record: HostRecord): void {
    writeFileAtomic(this.#hostPath, `${JSON.stringify(record)}\n`);
  }

  /** Removes the ledger itself: the last step of the last tear-down. To be called under the lock. */
  removeAll(): void {
    // Renamed first, so that a process that waits for the lock finds all of it or nothing.
    removeIfExists(this.#removedRoot);
    Deno.renameSync(this.#root, this.#removedRoot);
    faultPoint("ledger.removed");
    removeIfExists(this.#removedRoot);
  }

  /** Whether there is a ledger: nothing was made for any container where there is none. */
  exists(): boolean {
    return [this.#root, this.#removedRoot].some((path) => listDirectory(path) !== undefined);
  }

  /** Where the ledger goes on its way out. */
  get #removedRoot(): string {
    return `${this.#root}.removed`;
  }

  get #hostPath(): string {
    return `${this.#root}/host.json`;
  }

  #recordPath(id: string): string {
    return `${this.recordsDirectory}/${id}.json`;
  }

  /** Reads one container; undefined when there is none. */
  read(id: string): ContainerRecord | undefined {
    const text = readFileIfExists(this.#recordPath(id));
    if (text === undefined) return undefined;
    try {
      return parseContainerRecord(text);
    } catch (error) {
      return unreadableRecord(id, this.filesDirectory(id), `cannot read the record: ${error}`);
    }
  }

  /** Waits for the calls before it in this process: the lock blocks the thread that would release it. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = (turns.get(this.#root) ?? Promise.resolve()).then(act);
    turns.set(this.#root, done.then(() => {}, () => {}));
    return done;
  }

  #lockExisting(): FileDescriptor | undefined {
    const path = `${this.#root}/lock`;
    for (;;) {
      const file = tryOpen(path);
      if (file === undefined) return undefined;
      lockExclusive(file);
      if (isOpenFileAt(file, path)) return file;
      file.close();
    }
  }

  #lock(): FileDescriptor {
    const path = `${this.#root}/lock`;
    for (;;) {
      if (!tryMake(this.#root, this.recordsDirectory)) continue;
      const file = tryOpen(path);
      if (file === undefined) continue;
      lockExclusive(file);
      // The last tear-down removes the file: a lock on a removed file excludes nobody.
      if (isOpenFileAt(file, path)) return file;
      file.close();
    }
  }
}

/** Makes a directory; false when one that leads to it was removed in this moment. */
function tryMake(root: string, path: string): boolean {
  try {
    makeDirectory(root, path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Opens the lock file; undefined when its directory was removed in this moment. */
function tryOpen(path: string): FileDescriptor | undefined {
  try {
    return openLockFile(path);
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === ENOENT) return undefined;
    throw error;
  }
}

/** Whether a path still names the file that a descriptor has open. */
export function isOpenFileAt(file: FileDescriptor, path: string): boolean {
  try {
    return Deno.statSync(path).ino === Deno.statSync(`/proc/self/fd/${file.fd}`).ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
