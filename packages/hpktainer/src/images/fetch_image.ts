/** Fetches images with skopeo, from any source into a layout that shares the store's blobs. */

import { HpkError } from "@hpk/core";
import {
  type CommandResult,
  faultPoint,
  listDirectory,
  PROGRAMS,
  requireProgram,
  runCommand,
} from "@hpk/core/os";
import { explainSkopeo } from "./pure/tool_failure.ts";
import { type Access, copyWords, inspectWords } from "./pure/skopeo_words.ts";
import type { ImageReference } from "./pure/image_reference.ts";
import { sha256 } from "./pure/image_record.ts";
import {
  type Blob,
  chooseInstance,
  type Manifest,
  parseManifest,
  readLayoutIndex,
} from "./pure/manifest.ts";
import type { Platform } from "./pure/platform.ts";
import type { ImageStore } from "./image_store.ts";
import { absolutePath, type Caller } from "../shared/pure/caller.ts";
import type { Progress } from "./progress.ts";

/** What a source has under a name. */
export interface Source {
  /** Digest that the name resolves to; undefined if only a fetch can find out. */
  readonly digest: string | undefined;
  readonly manifest: Manifest | undefined;
}

/** A fetch: what, for which platform, and how. */
export interface Fetch {
  readonly caller: Caller;
  readonly reference: ImageReference;
  readonly platform: Platform;
  readonly store: ImageStore;
  /** This fetch's own directory in the store. */
  readonly stage: string;
  readonly authFile: string | undefined;
  readonly progress: Progress;
}

/** An image whose blobs are in the store. */
export interface FetchedImage {
  /** Digest of its manifest. */
  readonly digest: string;
  readonly config: Blob;
  readonly layers: readonly Blob[];
}

/** How long a program may run, in ms: a day, for a large image over a slow connection. */
const PROGRAM_TIMEOUT_MS = 24 * 60 * 60 * 1000;

/** The host's policy on signatures (containers-policy.json(5)). */
const policiesOf = ({ environment }: Caller): string[] => [
  `${environment["HOME"] ?? "/root"}/.config/containers/policy.json`,
  "/etc/containers/policy.json",
];

/**
 * Resolves a name without fetching the image.
 *
 * @throws {HpkError} When the image does not exist or cannot be reached.
 */
export async function lookAtSource(fetch: Fetch): Promise<Source> {
  // An archive would have to be read completely.
  const { transport } = fetch.reference;
  if (transport === "oci-archive" || transport === "docker-archive") {
    return { digest: undefined, manifest: undefined };
  }
  const text = await runSkopeo(fetch, inspectWords(fetch.reference, undefined, accessOf(fetch)));
  return { digest: `sha256:${await sha256(text)}`, manifest: parseManifest(text) };
}

/**
 * Fetches what the store lacks.
 *
 * @throws {HpkError} When the image cannot be fetched.
 */
export async function fetchImage(fetch: Fetch, source: Source): Promise<FetchedImage> {
  const { reference, platform, store, stage, progress } = fetch;
  const access = accessOf(fetch);
  let { digest, manifest } = source;
  if (manifest?.kind === "list") {
    digest = chooseInstance(reference.name, manifest.instances, platform).digest;
    manifest = reference.transport === "docker"
      ? parseManifest(await runSkopeo(fetch, inspectWords(reference, digest, access)))
      : undefined;
  }
  const layout = `${stage}/layout`;
  Deno.mkdirSync(layout);
  Deno.symlinkSync("../../../blobs", `${layout}/blobs`);
  faultPoint("image.layout");
  const layers = manifest?.kind === "image" ? manifest.layers : undefined;
  const done = progress.start(
    "fetching",
    layers === undefined ? undefined : {
      total: layers.reduce((sum, layer) => sum + layer.size, 0),
      count: () => fetchedBytes(store, stage, layers),
    },
  );
  try {
    await runSkopeo(fetch, copyWords(reference, digest, platform, layout, access));
  } finally {
    done();
  }
  faultPoint("image.fetched");
  return readLayout(store, layout);
}

function readLayout(store: ImageStore, layout: string): FetchedImage {
  const digest = readLayoutIndex(Deno.readTextFileSync(`${layout}/index.json`));
  const manifest = parseManifest(Deno.readTextFileSync(store.blobPath(digest)));
  if (manifest.kind === "image") {
    return { digest, config: manifest.config, layers: manifest.layers };
  }
  throw new HpkError({
    what: "cannot use the image",
    why: "its manifest does not name a single image",
    fix: "name one of its images by tag",
  });
}

/** Bytes of the layers fetched so far, including partial ones. */
function fetchedBytes(store: ImageStore, stage: string, layers: readonly Blob[]): number {
  const whole = layers.map(({ digest }) => sizeOf(store.blobPath(digest)));
  const parts = (listDirectory(`${stage}/layout`) ?? []).filter((name) =>
    name.startsWith("oci-put-")
  )
    .map((name) => sizeOf(`${stage}/layout/${name}`));
  return [...whole, ...parts].reduce((sum, size) => sum + size, 0);
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function accessOf({ caller, stage, authFile }: Fetch): Access {
  const given = authFile ?? caller.environment["REGISTRY_AUTH_FILE"];
  return {
    authFile: given ? absolutePath(caller, given) : dockerAuthFile(caller),
    withoutPolicy: !policiesOf(caller).some((path) => sizeOf(path) > 0),
    temporary: stage,
  };
}

/**
 * Docker's credentials if DOCKER_CONFIG moves them; skopeo finds the others
 * (containers-auth.json(5)).
 */
function dockerAuthFile(caller: Caller): string | undefined {
  const directory = caller.environment["DOCKER_CONFIG"];
  if (directory === undefined) return undefined;
  const path = absolutePath(caller, `${directory}/config.json`);
  return sizeOf(path) > 0 ? path : undefined;
}

async function runSkopeo({ reference }: Fetch, words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runBound(requireProgram(PROGRAMS.skopeo), words);
  if (code !== 0) throw explainSkopeo(reference, stderr);
  return stdout;
}

/**
 * Runs a program that is killed when we end, however we end: it must not keep writing to a store
 * without the lock. What it creates has the mode that it asks for, whatever our umask.
 */
export async function runBound(path: string, words: readonly string[]): Promise<CommandResult> {
  const setpriv = requireProgram(PROGRAMS.setpriv);
  const options = { timeoutMs: PROGRAM_TIMEOUT_MS };
  const umask = Deno.umask(0o022);
  try {
    // Only its start needs the umask: the result is awaited later.
    const ended = runCommand(setpriv, ["--pdeathsig", "KILL", "--", path, ...words], options);
    Deno.umask(umask);
    return await ended;
  } finally {
    Deno.umask(umask);
  }
}
