import { faultPoint, listDirectory, readFileIfExists, removeIfExists } from "@hpk/core/os";
import { parseImageRecord } from "./pure/image_record.ts";
import { diskUsage } from "./disk_usage.ts";
import { ImageStore } from "./image_store.ts";

/** Something that was, or would be, removed from the store. */
export interface Swept {
  /** Where it was. */
  readonly path: string;
  /** Its disk usage in bytes. */
  readonly bytes: number;
}

/**
 * Removes what no image and no container needs: trees and blobs of removed images, holds of removed
 * containers, and what killed processes have left.
 *
 * @param dryRun Only reports what would be removed.
 * @return What was removed; empty while another process adds to the store.
 */
export function sweepStore(store: ImageStore, dryRun: boolean): Swept[] {
  if (!store.exists()) return [];
  if (dryRun) return unneeded(store).map((path) => ({ path, bytes: diskUsage(path) }));
  const moved = moveToTrash(store);
  // Measured and deleted without the lock: that takes time, and starts need the lock.
  const swept = moved.map(({ path, trash }) => ({ path, bytes: diskUsage(trash) }));
  for (const path of within(store.directory("trash"))) {
    removeIfExists(path);
    faultPoint("image.deleted");
  }
  return swept;
}

/** As {@linkcode sweepStore}, for this host's store. */
export function sweepImages(dryRun: boolean): Swept[] {
  return sweepStore(new ImageStore(), dryRun);
}

function moveToTrash(store: ImageStore): { path: string; trash: string }[] {
  using alone = store.tryAlone();
  if (alone === undefined) return [];
  const moved = unneeded(store).map((path) => {
    const trash = `${store.directory("trash")}/${crypto.randomUUID()}`;
    Deno.renameSync(path, trash);
    faultPoint("image.trashed");
    return { path, trash };
  });
  for (const path of within(store.directory("locks"))) removeIfExists(path);
  return moved;
}

function unneeded(store: ImageStore): string[] {
  const records = store.list();
  const leases = store.leases();
  const trees = new Set([...records, ...leases].map(({ tree }) => store.treeDirectory(tree)));
  const blobs = new Set(
    records.flatMap((record) => record.blobs).map((one) => store.blobPath(one)),
  );
  const held = new Set(leases.map(({ container }) => store.leasePath(container)));
  return [
    ...within(store.directory("references")).filter((path) => !isRecord(path)),
    ...within(store.directory("leases")).filter((path) => !held.has(path)),
    ...within(store.directory("staging")),
    ...within(store.directory("trees")).filter((path) => !trees.has(path)),
    ...within(store.directory("blobs")).flatMap(within).filter((path) => !blobs.has(path)),
  ];
}

function isRecord(path: string): boolean {
  return path.endsWith(".json") && parseImageRecord(readFileIfExists(path) ?? "") !== undefined;
}

function within(directory: string): string[] {
  return (listDirectory(directory) ?? []).map((name) => `${directory}/${name}`);
}
