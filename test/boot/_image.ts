/**
 * The image of images/boot. It is built once, in a minute or two, from packages of the
 * distribution, and kept in the user's cache by what it is made of.
 */
import { createHash } from "node:crypto";
import { apptainerEnv, machine, program } from "../harness/mod.ts";
import { needs as containerNeeds } from "../harness/hpktainer.ts";

const DEFINITION = new URL("../../images/boot/boot.def", import.meta.url).pathname;

/** Bound of the build where mirror and machine are slow, in ms. */
const BUILD_TIMEOUT_MS = 600_000;

/** What every test of a booted container needs. */
export const needs = [...containerNeeds, program("mmdebstrap"), program("curl"), program("nft")];

let building: Promise<string> | undefined;

/** Path of the image. */
export function bootImage(): Promise<string> {
  building ??= build();
  return building;
}

async function build(): Promise<string> {
  const text = await Deno.readTextFile(DEFINITION);
  const key = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const cache = `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/hpktainer`;
  const image = `${cache}/boot-image-${key}.sif`;
  await Deno.mkdir(cache, { recursive: true });
  // The processes of several test files want it at the same time.
  using turn = await Deno.open(`${cache}/boot-image.lock`, { create: true, write: true });
  await turn.lock(true);
  if (await exists(image)) return image;
  const work = await Deno.makeTempDir({ dir: cache, prefix: "boot-image-" });
  try {
    console.error(`building ${image}, once`);
    // mmdebstrap makes temporary mounts, which the hosts of other tests would see.
    const alone = ["--mount", "--propagation", "private", "apptainer"];
    await machine.run("unshare", [...alone, "-q", "build", `${work}/boot.sif`, DEFINITION], {
      env: {
        ...apptainerEnv(),
        APPTAINER_CONFIGDIR: `${work}/.config`,
        APPTAINER_CACHEDIR: `${work}/.cache`,
        APPTAINER_TMPDIR: work,
      },
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    await Deno.rename(`${work}/boot.sif`, image);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return image;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
