import { HpkError } from "@hpk/core";
import type { ImageRecord } from "./pure/image_record.ts";
import { parseImageReference } from "./pure/image_reference.ts";
import { type ImageView, inspectionOf, viewOfImage } from "./pure/image_view.ts";
import { findByDigits, requireRootForImages } from "./image.ts";
import { ImageStore } from "./image_store.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { sweepStore } from "./sweep_store.ts";

/** The images in the store, latest first. */
export function listImages(caller: Caller): ImageView[] {
  requireRootForImages(caller);
  const store = new ImageStore();
  const leases = store.leases();
  return store.list().map((record) => viewOfImage(record, leases));
}

/**
 * The details of images, in Docker's shape.
 *
 * @param names Names, ids or prefixes of ids.
 * @throws {HpkError} When the store does not have an image.
 */
export function inspectImages(
  caller: Caller,
  names: readonly string[],
): Record<string, unknown>[] {
  requireRootForImages(caller);
  const store = new ImageStore();
  const all = store.list();
  return names.map((name) => {
    const record = findNamed(caller, store, all, name)[0]!;
    return inspectionOf(record, all, store.rootfs(record.tree));
  });
}

/** What was removed. */
export interface Removal {
  /** Names that were removed. */
  readonly untagged: readonly string[];
  /** Ids of images that were removed with their last name. */
  readonly deleted: readonly string[];
  /** Freed disk space in bytes. */
  readonly freed: number;
}

/**
 * Removes images by name, or with all their names by id. Deletes what no other image needs.
 *
 * @param force Forgets an image that containers use, too; its files stay until they have ended.
 * @throws {HpkError} When one does not exist or is in use; then nothing is removed.
 */
export async function removeImages(
  caller: Caller,
  names: readonly string[],
  force: boolean,
): Promise<Removal> {
  requireRootForImages(caller);
  const store = new ImageStore();
  const all = store.list();
  const chosen = new Set(names.flatMap((name) => findNamed(caller, store, all, name)));
  const remaining = new Set(all.filter((record) => !chosen.has(record)).map(({ id }) => id));
  const leases = store.leases();
  for (const { reference, id } of chosen) {
    const [lease] = leases.filter(({ image }) => image === id);
    if (lease === undefined || remaining.has(id) || force) continue;
    throw new HpkError({
      what: `cannot remove the image '${reference}'`,
      why: `the container '${lease.name}' uses it`,
      fix: "remove the container first, or add --force to delete the image when it has ended",
    });
  }
  return await forget(store, [...chosen], remaining);
}

/**
 * Removes what no image needs, and with `all` every image that no container uses.
 */
export async function pruneImages(caller: Caller, all: boolean): Promise<Removal> {
  requireRootForImages(caller);
  const store = new ImageStore();
  const records = store.list();
  const used = new Set(store.leases().map(({ image }) => image));
  const chosen = all ? records.filter(({ id }) => !used.has(id)) : [];
  return await forget(store, chosen, used);
}

async function forget(
  store: ImageStore,
  records: readonly ImageRecord[],
  remaining: ReadonlySet<string>,
): Promise<Removal> {
  for (const record of records) await store.remove(record);
  const swept = sweepStore(store, false);
  return {
    untagged: records.map(({ reference }) => reference),
    deleted: [...new Set(records.map(({ id }) => id))].filter((id) => !remaining.has(id)),
    freed: swept.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** The records of a name, for all platforms, or of an id. */
function findNamed(
  caller: Caller,
  store: ImageStore,
  all: readonly ImageRecord[],
  name: string,
): ImageRecord[] {
  const reference = parseImageReference(name, caller.directory).name;
  const named = all.filter((record) => record.reference === reference);
  const found = named.length > 0 ? named : findByDigits(all, name);
  if (found.length > 0) return found;
  throw new HpkError({
    what: `cannot find the image '${name}'`,
    why: store.exists() ? "the store has no image with that name or id" : "the store is empty",
    fix: "see 'hpktainer image ls'",
  });
}
