import { type ImageReference, isLocalRegistry } from "./image_reference.ts";
import type { Platform } from "./platform.ts";

/** How skopeo reaches a registry. */
export interface Access {
  /** File of credentials; undefined for those that skopeo finds itself. */
  readonly authFile: string | undefined;
  /** Whether signatures are not required, if the host has no policy on them. */
  readonly withoutPolicy: boolean;
  /** Directory for temporary files. */
  readonly temporary: string;
}

/** The arguments that print an image's raw manifest. */
export function inspectWords(
  reference: ImageReference,
  digest: string | undefined,
  access: Access,
): string[] {
  return [
    ...globalWords(access),
    "inspect",
    "--raw",
    ...authWords(access),
    ...(isPlain(reference) ? ["--tls-verify=false"] : []),
    sourceName(reference, digest),
  ];
}

/**
 * The arguments that copy an image into a layout.
 *
 * @param digest Digest of the manifest to copy; undefined if the platform decides.
 * @param layout Path of the layout, to which it is added as `image`.
 */
export function copyWords(
  reference: ImageReference,
  digest: string | undefined,
  platform: Platform,
  layout: string,
  access: Access,
): string[] {
  const variant = platform.variant === "" ? [] : [`--override-variant=${platform.variant}`];
  return [
    ...globalWords(access),
    `--override-os=${platform.os}`,
    `--override-arch=${platform.architecture}`,
    ...variant,
    "copy",
    // Layers that umoci cannot read, such as zstd, are converted.
    "--dest-compress-format=gzip",
    "--remove-signatures",
    ...authWords(access, "src-"),
    ...(isPlain(reference) ? ["--src-tls-verify=false"] : []),
    sourceName(reference, digest),
    `oci:${layout}:${LAYOUT_TAG}`,
  ];
}

/** The tag of the one image in a layout that is being fetched. */
export const LAYOUT_TAG = "image";

/** An image as skopeo names it (containers-transports(5)). */
function sourceName(reference: ImageReference, digest: string | undefined): string {
  if (reference.transport !== "docker") return reference.name;
  const { registry, repository, tag } = reference;
  const chosen = digest ?? reference.digest;
  const suffix = chosen === undefined ? `:${tag}` : `@${chosen}`;
  return `docker://${registry}/${repository}${suffix}`;
}

function isPlain(reference: ImageReference): boolean {
  return reference.transport === "docker" && isLocalRegistry(reference.registry);
}

function globalWords({ withoutPolicy, temporary }: Access): string[] {
  return [...(withoutPolicy ? ["--insecure-policy"] : []), `--tmpdir=${temporary}`];
}

function authWords({ authFile }: Access, prefix = ""): string[] {
  return authFile === undefined ? [] : [`--${prefix}authfile=${authFile}`];
}
