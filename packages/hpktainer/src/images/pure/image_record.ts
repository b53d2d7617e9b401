import type { ImageConfig } from "./image_config.ts";

/** An image in the store, under one of its names. */
export interface ImageRecord {
  /** Version of this format. */
  readonly version: 1;
  /** Full name: `docker.io/library/alpine:latest`. */
  readonly reference: string;
  /** The requested platform, which it is for: `linux/amd64`. */
  readonly platform: string;
  /** Digest of its manifest in the store. */
  readonly digest: string;
  /** Digest of its configuration. */
  readonly id: string;
  /**
   * Digest of what its registry or layout has under the name, which may be a list for several
   * platforms; null for an image of an archive.
   */
  readonly sourceDigest: string | null;
  /** Size and modification time, in ms, of its source file; null for an image of a registry. */
  readonly source: { readonly size: number; readonly changed: number } | null;
  /** Name of its tree: 64 hexadecimal digits. */
  readonly tree: string;
  /** Disk usage of its tree in bytes. */
  readonly size: number;
  /** Digests of its manifest, configuration and layers, which are kept as fetched. */
  readonly blobs: readonly string[];
  /** When it was built, ISO 8601; empty if unknown. */
  readonly created: string;
  /** When it was fetched, ISO 8601. */
  readonly pulled: string;
  readonly config: ImageConfig;
}

/** A container's hold on an image: the tree stays as long as the hold exists. */
export interface ImageLease {
  /** Version of this format. */
  readonly version: 1;
  /** The container's id. */
  readonly container: string;
  /** The container's name. */
  readonly name: string;
  /** Path that exists as long as the container. */
  readonly keptBy: string;
  /** The image's id. */
  readonly image: string;
  readonly tree: string;
}

/**
 * Reads a record.
 *
 * @return Undefined if it is invalid: the image counts as missing and is fetched again.
 */
export function parseImageRecord(text: string): ImageRecord | undefined {
  const value = parseVersion1(text);
  const isWhole = isText(value?.["reference"]) && isText(value["platform"]) &&
    isDigest(value["digest"]) && isDigest(value["id"]) && isTree(value["tree"]) &&
    isText(value["pulled"]) && Array.isArray(value["blobs"]) && value["blobs"].every(isDigest) &&
    typeof value["config"] === "object";
  return isWhole ? value as unknown as ImageRecord : undefined;
}

/** Reads a lease; undefined if it is invalid. */
export function parseImageLease(text: string): ImageLease | undefined {
  const value = parseVersion1(text);
  const isWhole = isText(value?.["container"]) && isText(value["name"]) &&
    isText(value["keptBy"]) && isDigest(value["image"]) && isTree(value["tree"]);
  return isWhole ? value as unknown as ImageLease : undefined;
}

/**
 * Name of the tree that a list of layers makes: the hexadecimal digits of their chain's digest (OCI
 * image-spec config.md, "Layer ChainID"). Images with the same layers share it.
 *
 * @param diffIds Digests of the uncompressed layers, lowest first.
 */
export async function treeName(diffIds: readonly string[]): Promise<string> {
  let chain = diffIds[0] ?? `sha256:${await sha256("")}`;
  for (const diffId of diffIds.slice(1)) chain = `sha256:${await sha256(`${chain} ${diffId}`)}`;
  return chain.slice("sha256:".length);
}

/** The SHA-256 of a text's UTF-8 bytes, in hexadecimal digits. */
export async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The name of an image by its digest, as `image ls --digests` and messages show it. */
export function nameWithDigest(reference: string, digest: string): string {
  const name = reference.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
  return `${name}@${digest}`;
}

function parseVersion1(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value?.version === 1 ? value : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isDigest(value: unknown): boolean {
  return typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value);
}

function isTree(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}
