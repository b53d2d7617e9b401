import { HpkError } from "@hpk/core";
import { SystemCallError } from "@hpk/core/ffi";
import { faultPoint, removeIfExists } from "@hpk/core/os";
import { type ImageDescription, parseImageConfig } from "./pure/image_config.ts";
import { type ImageRecord, treeName } from "./pure/image_record.ts";
import { shortId } from "./pure/image_view.ts";
import { familiarName, type ImageReference } from "./pure/image_reference.ts";
import { formatPlatform, parsePlatform, type Platform, platformFit } from "./pure/platform.ts";
import { diskUsage } from "./disk_usage.ts";
import { type Fetch, fetchImage, lookAtSource } from "./fetch_image.ts";
import type { ImageStore } from "./image_store.ts";
import { createProgress } from "./progress.ts";
import { isSameStamp, sourceStamp } from "./source_stamp.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { sweepStore } from "./sweep_store.ts";
import { diskFull } from "./pure/tool_failure.ts";
import { unpackImage } from "./unpack_image.ts";

/** What to fetch. */
export interface Pull {
  readonly reference: ImageReference;
  readonly platform: Platform;
  readonly authFile: string | undefined;
  readonly quiet: boolean;
  /** Whether a stored image suffices, unless its file has changed. */
  readonly missingOnly: boolean;
}

/**
 * Fetches an image, unless the store has what its registry has. Of several processes that pull the
 * same image, one works and the others wait.
 *
 * @throws {HpkError} When it cannot be fetched.
 */
export async function pullImage(
  caller: Caller,
  store: ImageStore,
  pull: Pull,
): Promise<ImageRecord> {
  try {
    store.prepare();
    try {
      using _shared = store.share();
      faultPoint("image.shared");
      return await pullOne(caller, store, pull);
    } finally {
      sweepStore(store, false);
    }
  } catch (error) {
    throw isDiskFull(error) ? diskFull(`fetch the image '${pull.reference.name}'`, error) : error;
  }
}

/** No space left, and quota exceeded: ENOSPC and EDQUOT (asm-generic/errno.h). */
const FULL = [28, 122];

/** Whether one of our calls failed because the disk is full. */
function isDiskFull(error: unknown): boolean {
  if (error instanceof SystemCallError) return FULL.includes(error.errno);
  const number = error instanceof Error
    ? /\(os error ([0-9]+)\)/.exec(error.message)?.[1]
    : undefined;
  return FULL.includes(Number(number));
}

async function pullOne(
  caller: Caller,
  store: ImageStore,
  pull: Pull,
): Promise<ImageRecord> {
  const { reference, platform } = pull;
  const progress = createProgress(caller.streams, familiarName(reference.name), pull.quiet);
  const asked = new Date().toISOString();
  const stamp = reference.transport === "docker" ? null : sourceStamp(reference.path) ?? null;
  const key = await store.key(reference.name, formatPlatform(platform));
  using _one = await store.lock(key, () => progress.say("waiting for another process to fetch it"));
  const known = await store.find(reference.name, formatPlatform(platform));
  if (known !== undefined) {
    // Another process may have fetched it while we waited.
    const isFresh = pull.missingOnly && stamp === null || known.pulled > asked;
    if (isFresh || isSameStamp(stamp, known.source)) return known;
  }
  const stage = `${store.directory("staging")}/${key}`;
  // What a killed process has left under this lock.
  removeIfExists(stage);
  Deno.mkdirSync(stage, { mode: 0o700 });
  faultPoint("image.staged");
  try {
    const fetch = { caller, reference, platform, store, stage, authFile: pull.authFile, progress };
    const record = await fetchAndUnpack(fetch, known, stamp);
    await store.write(record);
    faultPoint("image.recorded");
    progress.say(record.id === known?.id ? "up to date" : `ready, ${shortId(record.id)}`);
    return record;
  } finally {
    removeIfExists(stage);
    faultPoint("image.cleared");
  }
}

async function fetchAndUnpack(
  fetch: Fetch,
  known: ImageRecord | undefined,
  stamp: ImageRecord["source"],
): Promise<ImageRecord> {
  const { reference, platform, store } = fetch;
  const source = await lookAtSource(fetch);
  faultPoint("image.looked");
  const pulled = new Date().toISOString();
  if (known !== undefined && source.digest !== undefined && source.digest === known.sourceDigest) {
    return { ...known, source: stamp, pulled };
  }
  const { digest, config, layers } = await fetchImage(fetch, source);
  const description = parseImageConfig(Deno.readTextFileSync(store.blobPath(config.digest)));
  checkPlatform(reference, platform, description);
  const tree = await treeName(description.diffIds);
  await unpackImage(reference.name, tree, fetch);
  return {
    version: 1,
    reference: reference.name,
    platform: formatPlatform(platform),
    digest,
    id: config.digest,
    sourceDigest: source.digest ?? null,
    source: stamp,
    tree,
    size: diskUsage(store.treeDirectory(tree)),
    blobs: [digest, config.digest, ...layers.map((layer) => layer.digest)],
    created: description.created,
    pulled,
    config: description.config,
  };
}

/** An image outside a list names its platform itself; one without a platform is accepted. */
function checkPlatform(
  reference: ImageReference,
  wanted: Platform,
  { platform }: ImageDescription,
): void {
  if (platform === "/") return;
  if (platform.startsWith("linux/") && platformFit(wanted, parsePlatform(platform)) !== undefined) {
    return;
  }
  throw new HpkError({
    what: `cannot use the image '${reference.name}'`,
    why: `it is for ${platform}, not for ${formatPlatform(wanted)}`,
    fix: `name another image, or add --platform ${platform} if the host can run that`,
  });
}
