/** What the tests of images share. */
import { assertEquals } from "@std/assert";
import {
  busybox,
  ociTools,
  type Place,
  type PrivateHost,
  privateHosts,
  type RunOptions,
  type RunResult,
} from "../harness/mod.ts";
import { hpk } from "../harness/hpktainer.ts";

/** What a test of images needs. */
export const imageNeeds = [...privateHosts, ...ociTools, busybox];

/** The store of images, as its host sees it. */
export const STORE = "/var/lib/hpktainer/images";

/** Bound of what may fetch and unpack on a busy machine. */
const PULL_TIMEOUT_MS = 120_000;

/** Runs `hpktainer image …`, whatever its exit status is. */
export function image(
  host: Place,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return hpk(host, ["image", ...args], { timeoutMs: PULL_TIMEOUT_MS, ...options });
}

/** Pulls an image; returns its id. */
export async function pull(
  host: Place,
  name: string,
  options: readonly string[] = [],
  runOptions: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await image(host, ["pull", ...options, name], runOptions);
  assertEquals(code, 0, stderr);
  return stdout.trimEnd();
}

/** An image as `image ls --json` prints it, as far as tests need it. */
export interface Listed {
  readonly reference: string;
  readonly id: string;
  readonly digest: string;
  readonly platform: string;
  readonly usedBy: readonly string[];
}

/** What `image ls --json` lists. */
export async function images(host: Place): Promise<Listed[]> {
  const { code, stdout, stderr } = await image(host, ["ls", "--json"]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout).images;
}

/** The directory of an image's files, reachable from the machine. */
export async function treeOf(host: PrivateHost, name: string): Promise<string> {
  const { stdout } = await image(host, ["inspect", name], { check: true });
  return host.root + JSON.parse(stdout)[0].Rootfs;
}

/** Everything in the store but locks, as paths from the store; empty without a store. */
export function stored(host: PrivateHost, directory = ""): string[] {
  const root = `${host.root}${STORE}`;
  const found: string[] = [];
  for (const { name, isDirectory } of entries(`${root}${directory}`)) {
    const path = `${directory}/${name}`;
    // Each tree counts as one entry.
    if (isDirectory && !path.startsWith("/trees/")) found.push(...stored(host, path));
    else if (!/^\/lock/.test(path)) found.push(path.slice(1));
  }
  return found.sort();
}

function entries(directory: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Asserts that a command failed with our own error, in one line. */
export function assertRefused(result: RunResult, ...parts: RegExp[]): void {
  assertEquals([result.code, result.stdout], [125, ""], result.stderr);
  const last = result.stderr.trimEnd().split("\n").at(-1)!;
  assertEquals(last.startsWith("hpktainer: "), true, result.stderr);
  for (const part of parts) assertEquals(part.test(last), true, `${part} in ${last}`);
}
