/**
 * Images as a runtime sees them: a name goes in, a directory tree and a configuration come out, and
 * the tree stays as long as a container holds the image.
 *
 * @module
 */

import { HpkError, requireRoot } from "@hpk/core";
import { removeIfExists } from "@hpk/core/os";
import type { ImageConfig } from "./pure/image_config.ts";
import type { ImageRecord } from "./pure/image_record.ts";
import { asImageId, isWholeId, parseImageReference } from "./pure/image_reference.ts";
import type { PullPolicy } from "./pure/pull_policy.ts";
import { formatPlatform, hostPlatform, parsePlatform } from "./pure/platform.ts";
import { ImageStore } from "./image_store.ts";
import { isUnchanged, sourceStamp } from "./source_stamp.ts";
import { absolutePath, type Caller } from "../shared/pure/caller.ts";

export type { ImageConfig } from "./pure/image_config.ts";

/** How an image is fetched. */
export interface ImageRequest {
  /** Default `missing`. */
  readonly pull?: PullPolicy | undefined;
  /** `linux/arm64`, `linux/arm/v7`…; default: the host's. */
  readonly platform?: string | undefined;
  /** File of credentials, instead of Docker's and Podman's. */
  readonly authFile?: string | undefined;
  /** Reports nothing on standard error. */
  readonly quiet?: boolean | undefined;
}

/** An image that is in the store, unpacked. */
export interface ReadyImage {
  /** Full name, such as `docker.io/library/alpine:latest`. */
  readonly reference: string;
  /** Digest of its manifest in the store, `sha256:…`. */
  readonly digest: string;
  /** Its id: the digest of its configuration, `sha256:…`. */
  readonly id: string;
  /** Directory of its files, shared by all its containers: never write to it. */
  readonly rootfs: string;
  readonly config: ImageConfig;
}

/** The container that holds an image. */
export interface ImageHolder {
  /** The container's id. */
  readonly id: string;
  /** Its name, for messages. */
  readonly name: string;
  /** Absolute path of a file or directory that exists as long as the container: its record. */
  readonly keptBy: string;
}

/**
 * Prepares an image: from the store if it is there and the policy allows that, without another
 * process and without the network; else from its source.
 *
 * @param name The image as the user names it.
 * @throws {HpkError} When it cannot be fetched.
 */
export async function readyImage(
  caller: Caller,
  name: string,
  request: ImageRequest = {},
): Promise<ReadyImage> {
  const store = new ImageStore();
  return toReady(store, await getImage(caller, store, name, request));
}

/**
 * As {@linkcode readyImage}, with the store's record of the image.
 *
 * @throws {HpkError} When it cannot be fetched.
 */
export async function getImage(
  caller: Caller,
  store: ImageStore,
  name: string,
  request: ImageRequest,
): Promise<ImageRecord> {
  requireRootForImages(caller);
  const platform = request.platform === undefined
    ? hostPlatform(Deno.build.arch)
    : parsePlatform(request.platform);
  const { pull = "missing" } = request;
  if (isWholeId(name)) return ofId(store, name);
  const reference = parseImageReference(name, caller.directory);
  if (pull !== "always") {
    const known = await store.find(reference.name, formatPlatform(platform));
    const isCurrent = known !== undefined &&
      (pull === "never" || reference.transport === "docker" || isUnchanged(known, reference.path));
    if (isCurrent) return known;
    const [byId] = findByDigits(store.list(), name);
    if (byId !== undefined && store.hasTree(byId.tree)) return byId;
    if (pull === "never") {
      throw new HpkError({
        what: `cannot use the image '${reference.name}'`,
        why: `the store has none for ${formatPlatform(platform)}, and --pull is never`,
        fix: `run 'hpktainer image pull ${name}' first`,
      });
    }
  }
  if (reference.transport === "docker") refuseFile(caller, name);
  // A start with a stored image does not need any of that.
  const { pullImage } = await import("./pull_image.ts");
  return await pullImage(caller, store, {
    reference,
    platform,
    authFile: request.authFile,
    quiet: request.quiet ?? false,
    missingOnly: pull === "missing",
  });
}

/**
 * Finds the records of an image by its id or a prefix of it.
 *
 * @param records The store's records.
 * @param name What the user wrote; nothing is found if it cannot be an id.
 * @throws {HpkError} When the prefix is ambiguous.
 */
export function findByDigits(records: readonly ImageRecord[], name: string): ImageRecord[] {
  const digits = asImageId(name);
  if (digits === undefined) return [];
  const found = records.filter(({ id }) => id.startsWith(`sha256:${digits}`));
  if (new Set(found.map(({ id }) => id)).size <= 1) return found;
  throw new HpkError({
    what: `cannot use the image '${name}'`,
    why: "the ids of several images begin with it",
    fix: "give more digits; see 'hpktainer image ls --no-trunc'",
  });
}

/** Names of files that users may mistake for image names. */
const FILE_NAME = /\.(?:sif|tar|tgz|tar\.gz)$/;

/** @throws {HpkError} When the name is that of an existing file. */
function refuseFile(caller: Caller, name: string): void {
  if (!FILE_NAME.test(name) || sourceStamp(absolutePath(caller, name)) === undefined) return;
  throw new HpkError({
    what: `cannot use the image '${name}'`,
    why: "it is a file, not the name of an image in a registry",
    fix: name.endsWith(".sif")
      ? "run an Apptainer image with 'hpktainer run', without --runtime"
      : `write oci-archive:${name} or docker-archive:${name}`,
  });
}

function ofId(store: ImageStore, name: string): ImageRecord {
  const found = findByDigits(store.list(), name).find(({ tree }) => store.hasTree(tree));
  if (found !== undefined) return found;
  throw new HpkError({
    what: `cannot use the image '${name}'`,
    why: "no image in the store has that id, and images cannot be fetched by id",
    fix: "give its name, or see 'hpktainer image ls'",
  });
}

/**
 * Keeps an image from being removed as long as a container exists.
 *
 * @throws {HpkError} When it was removed at this moment.
 */
export function holdImage(image: ReadyImage, holder: ImageHolder): void {
  const store = new ImageStore();
  const tree = image.rootfs.split("/").at(-2)!;
  using _shared = store.share();
  store.writeLease({
    version: 1,
    container: holder.id,
    name: holder.name,
    keptBy: holder.keptBy,
    image: image.id,
    tree,
  });
  if (store.hasTree(tree)) return;
  releaseImage(holder.id);
  throw new HpkError({
    what: `cannot use the image '${image.reference}'`,
    why: "it was just removed",
    fix: "try again",
  });
}

/** Ends a container's hold on its image; a second call does nothing. */
export function releaseImage(container: string): void {
  removeIfExists(leasePath(container));
}

/** The file that is a container's hold on its image; removing it ends the hold. */
export function leasePath(container: string): string {
  return new ImageStore().leasePath(container);
}

/** @throws {HpkError} When the caller is not root: images hold files of every owner. */
export function requireRootForImages(caller: Caller): void {
  requireRoot(caller, "cannot use the store of images");
}

function toReady(store: ImageStore, record: ImageRecord): ReadyImage {
  const { reference, digest, id, tree, config } = record;
  return { reference, digest, id, rootfs: store.rootfs(tree), config };
}
