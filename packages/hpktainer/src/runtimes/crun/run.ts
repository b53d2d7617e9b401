/**
 * Runs a container:
 *
 *   command line ── image ── checks ── container on disk ── network (ledger) ── bundle
 *   conmon (mount namespace, crun create) ── streams ── crun start
 *   in the foreground: copy and wait; else: the owner becomes conmon
 */

import { HpkError, newContainerId } from "@hpk/core";
import { faultPoint } from "@hpk/core/os";
import { holdImage, readyImage } from "../../images/image.ts";
import { runHelp } from "../../containers/pure/run_help.ts";
import { readRun, type RunRequest } from "../../containers/pure/run_flags.ts";
import type { StoredContainer } from "../../containers/pure/stored_container.ts";
import { readOptionFile } from "../../containers/option_file.ts";
import { absolutePath, type Caller, requireTerminal } from "../../shared/pure/caller.ts";
import { writeText } from "../../shared/streams.ts";
import { pathsOf } from "../../containers/paths.ts";
import {
  requireRootForContainers,
  storeContainer,
  updateContainer,
} from "../../containers/store.ts";
import { prepareContainer, type PreparedContainer } from "./prepare.ts";
import { startPrepared } from "./start.ts";
import { discardContainer, sweepContainers } from "../../containers/take_down.ts";

/**
 * Runs a container from the words after `run`.
 *
 * @return Its exit status; 0 where it runs in the background.
 * @throws {HpkError} When it cannot be started; nothing is left of the attempt.
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
  const prepared = await makeContainer(caller, request);
  const status = await startPrepared(caller, prepared, {
    foreground: !options.detach,
    interactive: options.interactive,
    isNew: true,
  });
  if (options.detach) writeText(caller.streams.stdout, `${prepared.container.id}\n`);
  return status;
}

/**
 * Makes a container from the words after `create`, without starting it.
 *
 * @return Its id; undefined when help was asked for.
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
  const prepared = await makeContainer(caller, request);
  updateContainer({ ...prepared.container, maker: null });
  return prepared.container.id;
}

/** Makes a container on disk, when all that can be checked is checked. */
async function makeContainer(
  caller: Caller,
  { options, image: given, args }: RunRequest,
): Promise<PreparedContainer> {
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
  const prepared = prepareContainer(caller, container);
  storeContainer(container);
  try {
    holdImage(image, { id, name: container.name, keptBy: pathsOf(id).directory });
    if (cidFile !== undefined) Deno.writeTextFileSync(cidFile, id, { createNew: true });
  } catch (error) {
    discardContainer(id);
    throw error;
  }
  for (const warning of prepared.warnings) {
    writeText(caller.streams.stderr, `hpktainer: ${warning}\n`);
  }
  faultPoint("crun.stored");
  return prepared;
}

function checkCidFile(path: string): void {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new HpkError({
    what: `cannot use --cidfile ${path}`,
    why: "the file exists",
    fix: "remove it, or name another",
  });
}
