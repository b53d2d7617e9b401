/**
 * Runs a container:
 *
 *   command line ── image ── checks ── container on disk ── network (ledger)
 *   runtime creates it ── streams, signals ── its command starts
 *   in the foreground: copy and wait; else: its supervisor becomes the owner
 */

import { HpkError, newContainerId } from "@hpk/core";
import { exists, faultPoint } from "@hpk/core/os";
import { holdImage, readyImage } from "../images/image.ts";
import { readOptionFile } from "../containers/option_file.ts";
import { pathsOf } from "../containers/paths.ts";
import { readRun, type RunRequest } from "../containers/pure/run_flags.ts";
import { runHelp } from "../containers/pure/run_help.ts";
import type { StoredContainer } from "../containers/pure/stored_container.ts";
import { requireRootForContainers, storeContainer, updateContainer } from "../containers/store.ts";
import { discardContainer, sweepContainers } from "../containers/take_down.ts";
import { absolutePath, type Caller, requireTerminal } from "../shared/pure/caller.ts";
import { writeText } from "../shared/streams.ts";
import { prepareToStart, type ReadyContainer, startPrepared } from "./start.ts";
import { preferredRuntime, runtimeNamed } from "./table.ts";

/**
 * Runs a container from the arguments of `run`.
 *
 * @return Its exit status; 0 where it runs in the background.
 * @throws {HpkError} When it cannot be started; nothing is left behind.
 */
export async function runContainer(caller: Caller, words: readonly string[]): Promise<number> {
  const request = readRun(words, "hpktainer run", caller, readOptionFile(caller));
  if (request === undefined) {
    writeText(caller.streams.stdout, runHelp("run"));
    return 0;
  }
  const { options } = request;
  requireRootForContainers(caller);
  if (!options.detach) requireTerminal(caller, options.terminal);
  const ready = await storeNew(caller, request);
  const status = await startPrepared(caller, ready, {
    foreground: !options.detach,
    interactive: options.interactive,
    isNew: true,
  });
  if (options.detach) writeText(caller.streams.stdout, `${ready.container.id}\n`);
  return status;
}

/**
 * Creates a container from the arguments of `create`, without starting it.
 *
 * @return Its id; undefined for --help.
 */
export async function createContainer(
  caller: Caller,
  words: readonly string[],
): Promise<string | undefined> {
  const request = readRun(words, "hpktainer container create", caller, readOptionFile(caller));
  if (request === undefined) {
    writeText(caller.streams.stdout, runHelp("create"));
    return undefined;
  }
  requireRootForContainers(caller);
  const { container } = await storeNew(caller, request);
  updateContainer({ ...container, maker: null });
  return container.id;
}

/** Stores a container on disk, after all possible checks. */
async function storeNew(
  caller: Caller,
  { options, image: given, args, runtime = preferredRuntime(caller) }: RunRequest,
): Promise<ReadyContainer> {
  // Before an image is fetched.
  await runtimeNamed(runtime);
  const { pull, platform, authFile, quiet } = options;
  const cidFile = options.cidFile === undefined ? undefined : absolutePath(caller, options.cidFile);
  if (cidFile !== undefined) checkCidFile(cidFile);
  sweepContainers(false);
  const image = await readyImage(caller, given, { pull, platform, authFile, quiet });
  const id = newContainerId();
  const container: StoredContainer = {
    version: 1,
    id,
    name: options.network.name ?? id,
    runtime,
    created: new Date().toISOString(),
    started: null,
    image: {
      given,
      reference: image.reference,
      digest: image.digest,
      id: image.id,
      rootfs: image.rootfs,
    },
    config: image.config,
    options,
    args,
    directory: caller.directory,
    maker: caller.process,
  };
  const ready = await prepareToStart(caller, container);
  storeContainer(container);
  try {
    holdImage(image, { id, name: container.name, keptBy: pathsOf(id).directory });
    if (cidFile !== undefined) Deno.writeTextFileSync(cidFile, id, { createNew: true });
  } catch (error) {
    discardContainer(id);
    throw error;
  }
  for (const warning of ready.prepared.warnings) {
    writeText(caller.streams.stderr, `hpktainer: ${warning}\n`);
  }
  faultPoint("container.stored");
  return ready;
}

function checkCidFile(path: string): void {
  if (!exists(path)) return;
  throw new HpkError({
    what: `cannot use --cidfile ${path}`,
    why: "the file exists",
    fix: "remove it, or name another",
  });
}
