/**
 * The store of images, on disk:
 *
 *     references/HASH.json  an image under one of its names, replaced atomically by rename
 *     blobs/sha256/…        manifests, configurations and layers as they came, shared by all images
 *     trees/CHAIN/rootfs    layers unpacked over each other, shared by images with the same layers
 *     leases/ID.json        a container's hold on an image
 *     staging/              what is being fetched and unpacked; moved into place when complete
 *     trash/                what is being deleted
 *     locks/, lock          see below
 *
 * A process that adds to the store or takes a hold has the lock shared; one that removes something
 * has it exclusively. So unused entries, and all of staging, can be removed whenever the exclusive
 * lock is free, and whatever a killed process leaves is found that way.
 */

import { type FileDescriptor, lockShared, openLockFile, tryLockExclusive } from "@hpk/core/ffi";
import {
  exists,
  listDirectory,
  makeDirectory,
  pause,
  readFileIfExists,
  removeIfExists,
  writeFileAtomic,
} from "@hpk/core/os";
import {
  type ImageLease,
  type ImageRecord,
  parseImageLease,
  parseImageRecord,
  sha256,
} from "./pure/image_record.ts";

/** Survives a reboot: `file-hierarchy(7)`, /var/lib. */
const LIBRARY = "/var/lib/hpktainer";

/** The store's directory. */
const IMAGE_STORE = `${LIBRARY}/images`;

/** Directories of the store that hold entries. */
const PARTS = ["references", "blobs", "trees", "leases", "staging", "trash", "locks"] as const;

/** Pause between two attempts to take a lock, in ms. */
const LOCK_POLL_MS = 100;

/** The images on this host. */
export class ImageStore {
  readonly #root: string;

  constructor(root = IMAGE_STORE) {
    this.#root = root;
  }

  /** Whether the store exists. */
  exists(): boolean {
    return exists(this.#root);
  }

  /** Creates missing directories. Only root may read them: images contain set-uid programs. */
  prepare(): void {
    makeDirectory(LIBRARY, LIBRARY);
    for (const path of [this.#root, ...PARTS.map((part) => this.directory(part))]) {
      try {
        Deno.mkdirSync(path);
        Deno.chmodSync(path, 0o700);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
  }

  /** One of the store's directories. */
  directory(part: typeof PARTS[number]): string {
    return `${this.#root}/${part}`;
  }

  /** Directory of a tree, which contains only `rootfs`. */
  treeDirectory(tree: string): string {
    return `${this.directory("trees")}/${tree}`;
  }

  /** The files of a tree. */
  rootfs(tree: string): string {
    return `${this.treeDirectory(tree)}/rootfs`;
  }

  /** File of a blob. */
  blobPath(digest: string): string {
    return `${this.directory("blobs")}/${digest.replace(":", "/")}`;
  }

  /** The image of a name and platform; undefined if there is no usable one. */
  async find(reference: string, platform: string): Promise<ImageRecord | undefined> {
    const text = readFileIfExists(await this.#recordPath(reference, platform));
    const record = text === undefined ? undefined : parseImageRecord(text);
    return record !== undefined && this.hasTree(record.tree) ? record : undefined;
  }

  /** Whether a tree is in place. */
  hasTree(tree: string): boolean {
    return exists(this.rootfs(tree));
  }

  /** Every image under every name, latest first. */
  list(): ImageRecord[] {
    return this.#readAll("references", parseImageRecord)
      .sort((a, b) => a.pulled < b.pulled ? 1 : a.pulled > b.pulled ? -1 : 0);
  }

  /** Puts an image under its name, instead of what was there. */
  async write(record: ImageRecord): Promise<void> {
    const path = await this.#recordPath(record.reference, record.platform);
    writeFileAtomic(path, `${JSON.stringify(record)}\n`);
  }

  /** Forgets an image's name. */
  async remove(record: ImageRecord): Promise<void> {
    removeIfExists(await this.#recordPath(record.reference, record.platform));
  }

  /** The holds of existing containers. */
  leases(): ImageLease[] {
    return this.#readAll("leases", parseImageLease).filter(({ keptBy }) => exists(keptBy));
  }

  /** Writes a container's hold. */
  writeLease(lease: ImageLease): void {
    writeFileAtomic(this.leasePath(lease.container), `${JSON.stringify(lease)}\n`);
  }

  /** File of a container's hold. */
  leasePath(container: string): string {
    return `${this.directory("leases")}/${container}.json`;
  }

  /** Takes the lock shared: nothing is removed until the result is disposed. */
  share(): FileDescriptor {
    const file = openLockFile(this.#lockPath);
    try {
      // It is held exclusively only for a few renames.
      lockShared(file);
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Takes the lock exclusively; undefined if a process is adding to the store. */
  tryAlone(): FileDescriptor | undefined {
    const file = openLockFile(this.#lockPath);
    if (tryLockExclusive(file)) return file;
    file.close();
    return undefined;
  }

  /**
   * Waits for the lock of a name, among processes that share the store.
   *
   * @param name A file name.
   * @param whenTaken Called once if another process has it.
   */
  async lock(name: string, whenTaken: () => void): Promise<FileDescriptor> {
    const file = openLockFile(`${this.directory("locks")}/${name}`);
    if (tryLockExclusive(file)) return file;
    try {
      whenTaken();
      // Not blocking: it can take minutes, and signals and timers must be handled meanwhile.
      while (!tryLockExclusive(file)) {
        await pause(LOCK_POLL_MS);
      }
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  get #lockPath(): string {
    return `${this.#root}/lock`;
  }

  /** A file name that stands for an image's name and platform. */
  async key(reference: string, platform: string): Promise<string> {
    return await sha256(`${reference} ${platform}`);
  }

  async #recordPath(reference: string, platform: string): Promise<string> {
    return `${this.directory("references")}/${await this.key(reference, platform)}.json`;
  }

  #readAll<T>(part: typeof PARTS[number], parse: (text: string) => T | undefined): T[] {
    return (listDirectory(this.directory(part)) ?? [])
      .filter((name) => name.endsWith(".json"))
      .flatMap((name) => readFileIfExists(`${this.directory(part)}/${name}`) ?? [])
      .flatMap((text) => parse(text) ?? []);
  }
}
