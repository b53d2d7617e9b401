/** Unpacks images with umoci, which keeps the content of a layer inside the tree. */

import { syncFileSystem } from "@hpk/core/ffi";
import { faultPoint, PROGRAMS, removeIfExists, requireProgram } from "@hpk/core/os";
import { explainUmoci } from "./pure/tool_failure.ts";
import { LAYOUT_TAG } from "./pure/skopeo_words.ts";
import { runBound } from "./fetch_image.ts";
import type { ImageStore } from "./image_store.ts";
import type { Progress } from "./progress.ts";

/**
 * Unpacks an image in the store, unless its tree exists.
 *
 * @param name The image's name, for messages.
 * @param tree Name of the tree.
 * @param stage This fetch's own directory, which contains the layout.
 * @throws {HpkError} When a layer is damaged or the disk is full.
 */
export async function unpackImage(
  name: string,
  tree: string,
  { store, stage, progress }: {
    readonly store: ImageStore;
    readonly stage: string;
    readonly progress: Progress;
  },
): Promise<void> {
  using one = await store.lock(
    `tree-${tree}`,
    () => progress.say("waiting for another process to unpack it"),
  );
  if (store.hasTree(tree)) return;
  const unpacked = `${stage}/tree`;
  Deno.mkdirSync(unpacked);
  faultPoint("image.unpacking");
  const done = progress.start("unpacking");
  try {
    await unpack(name, `${stage}/layout`, `${unpacked}/rootfs`);
  } finally {
    done();
  }
  faultPoint("image.unpacked");
  // Otherwise a power cut could leave a record, which is synced, of a tree that is not.
  syncFileSystem(one);
  // The directory is not a tree: its rootfs was removed by hand.
  removeIfExists(store.treeDirectory(tree));
  Deno.renameSync(unpacked, store.treeDirectory(tree));
  faultPoint("image.placed");
}

async function unpack(name: string, layout: string, rootfs: string): Promise<void> {
  const words = ["raw", "unpack", "--image", `${layout}:${LAYOUT_TAG}`, rootfs];
  const { code, stdout, stderr } = await runBound(requireProgram(PROGRAMS.umoci), words);
  if (code !== 0) throw explainUmoci(name, stderr || stdout);
}
