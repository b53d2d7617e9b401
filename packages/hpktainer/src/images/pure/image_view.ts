import { formatTable } from "../../shared/pure/text_table.ts";
import { type ImageLease, type ImageRecord, nameWithDigest } from "./image_record.ts";
import { familiarName } from "./image_reference.ts";
import { formatBytes } from "../../shared/pure/units.ts";

/** An image as `image ls --json` lists it. The shape is stable: keys are only added. */
export interface ImageView {
  /** Its full name. */
  readonly reference: string;
  /** Digest of its configuration, `sha256:…`. */
  readonly id: string;
  /** Digest of its manifest in the store, `sha256:…`. */
  readonly digest: string;
  /** Such as linux/amd64. */
  readonly platform: string;
  /** Bytes on the disk, unpacked; images with the same layers share them. */
  readonly size: number;
  /** When it was built, ISO 8601; null if unknown. */
  readonly created: string | null;
  /** When it was fetched, or last found to be up to date, ISO 8601. */
  readonly pulled: string;
  /** Names of the containers that use it. */
  readonly usedBy: readonly string[];
}

/** Builds the view of an image. */
export function viewOfImage(record: ImageRecord, leases: readonly ImageLease[]): ImageView {
  const { reference, id, digest, platform, size, created, pulled } = record;
  return {
    reference,
    id,
    digest,
    platform,
    size,
    created: created || null,
    pulled,
    usedBy: leases.filter(({ image }) => image === id).map(({ name }) => name).sort(),
  };
}

/** Number of digits of a short id. */
const SHORT_ID = 12;

/** The short form of an id: its first twelve digits. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, SHORT_ID);
}

/** Options of the table of images. */
export interface ListStyle {
  readonly digests: boolean;
  /** Full ids. */
  readonly whole: boolean;
  /** Only ids. */
  readonly quiet: boolean;
}

/**
 * Formats images as a table, with Docker's columns.
 *
 * @param now The present time, in ms since 1970.
 */
export function formatImages(images: readonly ImageView[], style: ListStyle, now: number): string {
  const id = (image: ImageView): string => style.whole ? image.id : shortId(image.id);
  if (style.quiet) return [...new Set(images.map(id))].map((line) => `${line}\n`).join("");
  const rows = images.map((image) => {
    const { repository, tag } = splitReference(image.reference);
    return [
      repository,
      tag,
      ...(style.digests ? [image.digest] : []),
      id(image),
      image.platform,
      image.created === null ? "" : formatAge(now - Date.parse(image.created)),
      formatBytes(image.size),
    ];
  });
  const digest = style.digests ? ["DIGEST"] : [];
  const heading = ["REPOSITORY", "TAG", ...digest, "IMAGE ID", "PLATFORM", "CREATED", "SIZE"];
  return formatTable([heading, ...rows]);
}

/** An image in the shape of `docker image inspect`, as far as the store knows. */
export function inspectionOf(
  record: ImageRecord,
  all: readonly ImageRecord[],
  rootfs: string,
): Record<string, unknown> {
  const { config } = record;
  const [os, architecture, variant] = record.platform.split("/");
  const alike = all.filter(({ id }) => id === record.id);
  const asSet = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, {}]));
  return {
    Id: record.id,
    RepoTags: alike.map(({ reference }) => reference).filter((name) => !name.includes("@"))
      .map(familiarName),
    RepoDigests: [
      ...new Set(
        alike.filter(({ sourceDigest, source }) => sourceDigest !== null && source === null)
          .map(({ reference, sourceDigest }) =>
            familiarName(nameWithDigest(reference, sourceDigest!))
          ),
      ),
    ],
    Created: record.created,
    Architecture: architecture,
    ...(variant === undefined ? {} : { Variant: variant }),
    Os: os,
    Size: record.size,
    Config: {
      User: config.user,
      ExposedPorts: asSet(config.exposedPorts),
      Env: config.env,
      Entrypoint: config.entrypoint,
      Cmd: config.cmd,
      Volumes: asSet(config.volumes),
      WorkingDir: config.workingDir,
      Labels: config.labels,
      StopSignal: config.stopSignal,
    },
    Rootfs: rootfs,
    Pulled: record.pulled,
  };
}

/** Repository and tag to show; for an image from a file, the repository is its path. */
function splitReference(reference: string): { repository: string; tag: string } {
  const name = familiarName(reference);
  if (name.includes("@")) return { repository: name.slice(0, name.indexOf("@")), tag: "<none>" };
  const file = /^((?:oci|oci-archive|docker-archive):[^:]*)(?::(.*))?$/.exec(reference);
  if (file !== null) return { repository: file[1]!, tag: file[2] ?? "<none>" };
  const colon = name.lastIndexOf(":");
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** Units of age: milliseconds and name. */
const AGES: readonly (readonly [number, string])[] = [
  [365.25 * 86_400_000, "year"],
  [30.44 * 86_400_000, "month"],
  [7 * 86_400_000, "week"],
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1000, "second"],
];

/** An age as text: `3 weeks ago`. */
export function formatAge(ms: number): string {
  const [unit, name] = AGES.find(([length]) => ms >= length) ?? [1000, "second"];
  const count = Math.max(Math.floor(ms / unit), 0);
  return `${count} ${name}${count === 1 ? "" : "s"} ago`;
}
