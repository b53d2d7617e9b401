import { HpkError } from "@hpk/core";

/** The platform of an image, in Go's names. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Such as `v7` of arm; empty if there is none. */
  readonly variant: string;
}

/** Aliases of architectures (containerd's platforms, OCI image-index.md). */
const MACHINES: Readonly<Record<string, string>> = {
  "x86_64": "amd64",
  "x86-64": "amd64",
  "i386": "386",
  "i686": "386",
  "aarch64": "arm64",
  "armhf": "arm/v7",
  "armel": "arm/v6",
};

/** Variants that are the default. */
const IMPLIED_VARIANTS: Readonly<Record<string, string>> = { arm64: "v8", amd64: "v1" };

/**
 * Reads a platform as Docker writes it: `linux/arm64`, `linux/arm/v7`, `arm64`.
 *
 * @throws {HpkError} When it is malformed or not a Linux platform.
 */
export function parsePlatform(text: string): Platform {
  const words = text.toLowerCase().split("/");
  if (words.length === 1) words.unshift("linux");
  const [os = "", machine = "", given = ""] = words;
  const isWellFormed = words.length <= 3 &&
    words.every((word) => /^[a-z0-9][a-z0-9_.-]*$/.test(word));
  if (!isWellFormed || os !== "linux") {
    throw new HpkError({
      what: `cannot use the platform '${text}'`,
      why: isWellFormed
        ? "only Linux containers are supported"
        : "it is not OS/ARCHITECTURE[/VARIANT]",
      fix: "write one such as linux/amd64, linux/arm64 or linux/arm/v7",
    });
  }
  const [architecture = "", implied = ""] = (MACHINES[machine] ?? machine).split("/");
  const variant = given || implied;
  return { os, architecture, variant: IMPLIED_VARIANTS[architecture] === variant ? "" : variant };
}

/**
 * The platform of containers on this host.
 *
 * @param machine As `uname -m` or Deno names it: `x86_64`, `aarch64`.
 */
export function hostPlatform(machine: string): Platform {
  return parsePlatform(`linux/${machine}`);
}

/** A platform as text: `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== "").join("/");
}

/**
 * How well an image for one platform runs on another: higher is better, undefined means not at all.
 * An older variant of the same architecture runs.
 */
export function platformFit(wanted: Platform, actual: Platform): number | undefined {
  if (wanted.os !== actual.os || wanted.architecture !== actual.architecture) return undefined;
  const variant = IMPLIED_VARIANTS[actual.architecture] === actual.variant ? "" : actual.variant;
  if (wanted.variant === variant) return Infinity;
  if (wanted.variant === "") return 0;
  if (variant === "") return -1;
  const [least, most] = [variant, wanted.variant].map((text) =>
    Number(/^v([0-9]+)$/.exec(text)?.[1])
  );
  return least! < most! ? least : undefined;
}
