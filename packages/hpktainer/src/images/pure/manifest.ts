import { HpkError } from "@hpk/core";
import { printable } from "../../shared/pure/printable.ts";
import { formatPlatform, type Platform, platformFit } from "./platform.ts";

/** A part of an image in a registry or layout. */
export interface Blob {
  /** `sha256:…`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** A manifest: of one image, or a list for several platforms. */
export type Manifest =
  | { readonly kind: "image"; readonly config: Blob; readonly layers: readonly Blob[] }
  | { readonly kind: "list"; readonly instances: readonly Instance[] }
  /** Docker's schema 1, which has neither sizes nor a configuration. */
  | { readonly kind: "legacy" };

/** An image in a list. */
export interface Instance {
  readonly digest: string;
  readonly platform: Platform;
}

/**
 * Media types of the configuration of a container image (OCI image-spec media-types.md; Docker's
 * schema 2).
 */
const IMAGE_CONFIGS = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
];

/**
 * Reads a manifest in OCI's format or one of Docker's two.
 *
 * @throws {HpkError} When it is invalid, or not of a container image.
 */
export function parseManifest(text: string): Manifest {
  const root = readJson(text);
  if (root["schemaVersion"] === 1) return { kind: "legacy" };
  if (Array.isArray(root["manifests"])) {
    return { kind: "list", instances: root["manifests"].map(readInstance) };
  }
  const config = readBlob(root["config"]);
  const layers = root["layers"];
  if (!Array.isArray(layers)) return malformed();
  const mediaType = (root["config"] as Record<string, unknown>)["mediaType"];
  if (!IMAGE_CONFIGS.includes(String(mediaType))) {
    throw new HpkError({
      what: "cannot use the image",
      why: `it is an artefact of type ${printable(String(mediaType))}`,
      fix: "name a container image",
    });
  }
  return { kind: "image", config, layers: layers.map(readBlob) };
}

/**
 * The digest of the manifest that an OCI layout's index names.
 *
 * @param text The index.json of a layout with one image.
 * @throws {HpkError} When it is malformed.
 */
export function readLayoutIndex(text: string): string {
  const manifests = readJson(text)["manifests"];
  return Array.isArray(manifests) ? readBlob(manifests[0]).digest : malformed();
}

/**
 * Chooses the image for a platform.
 *
 * @param name The image's name, for the message.
 * @throws {HpkError} When the list does not have the platform; the message names those that it has.
 */
export function chooseInstance(
  name: string,
  instances: readonly Instance[],
  wanted: Platform,
): Instance {
  const fits = instances.map((instance) => ({
    instance,
    fit: platformFit(wanted, instance.platform),
  }));
  const [best] = fits.filter(({ fit }) => fit !== undefined).sort((a, b) => b.fit! - a.fit! || 0);
  if (best !== undefined) return best.instance;
  const known = instances.map(({ platform }) => formatPlatform(platform))
    // Signatures and the like are listed so.
    .filter((platform) => !platform.startsWith("unknown"));
  throw new HpkError({
    what: `cannot use the image '${name}'`,
    why: `it is not for ${formatPlatform(wanted)}, but for ${known.join(", ") || "no platform"}`,
    fix: "name another image or --platform",
  });
}

function readInstance(value: unknown): Instance {
  const { digest } = readBlob(value);
  const platform = ((value as Record<string, unknown>)["platform"] ?? {}) as Record<
    string,
    unknown
  >;
  const text = (key: string): string => printable(String(platform[key] ?? ""));
  return {
    digest,
    platform: { os: text("os"), architecture: text("architecture"), variant: text("variant") },
  };
}

function readBlob(value: unknown): Blob {
  if (typeof value !== "object" || value === null) return malformed();
  const { digest, size } = value as Record<string, unknown>;
  // The digest becomes a file name.
  if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest)) return malformed();
  return typeof size === "number" && size >= 0 ? { digest, size } : malformed();
}

function readJson(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Reported below.
  }
  return malformed();
}

function malformed(): never {
  throw new HpkError({
    what: "cannot use the image",
    why: "its manifest is malformed",
    fix: "name a container image, or rebuild it",
  });
}
