/**
 * Images as a runtime sees them: a name goes in, a directory tree and a configuration come out, and
 * the tree stays as long as a container holds the image.
 *
 * @module
 */

import type { ImageConfig } from "../pure/oci/image_config.ts";

export type { ImageConfig } from "../pure/oci/image_config.ts";

/** When an image is fetched: where it is not in the store, at every use, or not at all. */
export type PullPolicy = "missing" | "always" | "never";

/** How an image is got. */
export interface ImageRequest {
  /** Default `missing`. */
  readonly pull?: PullPolicy | undefined;
  /** `linux/arm64`, `linux/arm/v7`…; default: the host's. */
  readonly platform?: string | undefined;
  /** File of credentials, instead of those that Docker and Podman use. */
  readonly authFile?: string | undefined;
  /** Tells nothing on standard error. */
  readonly quiet?: boolean | undefined;
}

/** An image that is in the store, unpacked. */
export interface ReadyImage {
  /** Whole name, such as `docker.io/library/alpine:latest`. */
  readonly reference: string;
  /** Digest of its manifest in the store, `sha256:…`. */
  readonly digest: string;
  /** Its id: the digest of its configuration, `sha256:…`. */
  readonly id: string;
  /** Directory of its files, shared by all its containers: never to be written to. */
  readonly rootfs: string;
  readonly config: ImageConfig;
}

/** Who holds an image. */
export interface ImageHolder {
  /** The container's id. */
  readonly id: string;
  /** Its name, for messages. */
  readonly name: string;
  /** Absolute path of a file or directory that is there as long as the container: its record. */
  readonly keptBy: string;
}
