/** Writes OCI image layouts (OCI image-spec image-layout.md), without other programs. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { tar, type TarEntry } from "./tar_archive.ts";

/** An image to write. */
export interface OciImage {
  /** Its layers, lowest first: entries, or a whole archive. */
  layers: readonly (readonly TarEntry[] | Uint8Array<ArrayBuffer>)[];
  /** The member `config` of its configuration: `{ Cmd: ["sh"] }`. */
  config?: Record<string, unknown>;
  /** Default: this machine's. */
  architecture?: string;
  /** Digests of the uncompressed layers, to give wrong ones. */
  diffIds?: readonly string[];
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

const MEDIA_TYPE = "application/vnd.oci.image";

/** This machine's architecture in Go's names. */
export const ARCHITECTURE: string = Deno.build.arch === "x86_64" ? "amd64" : "arm64";

/** A layout on disk. */
export class OciLayout {
  readonly #directory: string;
  readonly #index: Record<string, unknown>[] = [];

  /** Makes one in an existing, empty directory. */
  constructor(directory: string) {
    this.#directory = directory;
    Deno.mkdirSync(`${directory}/blobs/sha256`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
    this.#writeIndex();
  }

  /** Adds an image under a tag. */
  add(tag: string, image: OciImage): void {
    this.#tag(tag, this.#addImage(image), `${MEDIA_TYPE}.manifest.v1+json`);
  }

  /** Adds a list of images for several architectures under a tag. */
  addList(tag: string, images: readonly OciImage[]): void {
    const manifests = images.map((image) => ({
      ...this.#addImage(image),
      platform: { os: "linux", architecture: image.architecture ?? ARCHITECTURE },
    }));
    const index = { schemaVersion: 2, mediaType: `${MEDIA_TYPE}.index.v1+json`, manifests };
    const text = JSON.stringify(index);
    this.#tag(tag, this.#blob(text, `${MEDIA_TYPE}.index.v1+json`));
  }

  #addImage({ layers, config = {}, architecture = ARCHITECTURE, diffIds }: OciImage): Descriptor {
    const archives = layers.map((layer) => layer instanceof Uint8Array ? layer : tar(layer));
    const description = {
      created: "2026-01-02T03:04:05Z",
      architecture,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: diffIds ?? archives.map(digestOf) },
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: `${MEDIA_TYPE}.manifest.v1+json`,
      config: this.#blob(JSON.stringify(description), `${MEDIA_TYPE}.config.v1+json`),
      layers: archives.map((archive) =>
        this.#blob(gzipSync(archive, { level: 1 }), `${MEDIA_TYPE}.layer.v1.tar+gzip`)
      ),
    };
    return this.#blob(JSON.stringify(manifest), `${MEDIA_TYPE}.manifest.v1+json`);
  }

  #blob(content: string | Uint8Array, mediaType: string): Descriptor {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const digest = digestOf(bytes);
    Deno.writeFileSync(`${this.#directory}/blobs/${digest.replace(":", "/")}`, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  #tag(tag: string, descriptor: Descriptor, mediaType = descriptor.mediaType): void {
    const annotations = { "org.opencontainers.image.ref.name": tag };
    this.#index.push({ ...descriptor, mediaType, annotations });
    this.#writeIndex();
  }

  #writeIndex(): void {
    const index = { schemaVersion: 2, manifests: this.#index };
    Deno.writeTextFileSync(`${this.#directory}/index.json`, JSON.stringify(index));
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
