/**
 * Runs a container:
 *
 *   command line ── image ── checks ── container on disk ── network (ledger) ── bundle
 *   conmon (mount namespace, crun create) ── streams ── crun start
 *   in the foreground: copy and wait; else: the owner becomes conmon
 */

import { HpkError, newContainerId } from "@hpk/core";
import { faultPoint, thisProcess } from "@hpk/core/os";
import { holdImage, readyImage } from "../../images/image.ts";
import { runHelp } from "../../containers/pure/run_help.ts";
import { readRun, type RunRequest } from "../../containers/pure/run_flags.ts";
import type { StoredContainer } from "../../containers/pure/stored_container.ts";
import { caller, checkRoot, checkTerminal } from "../../containers/caller.ts";
import { pathsOf } from "../../containers/paths.ts";
import { storeContainer, updateContainer } from "../../containers/store.ts";
import { prepareContainer, type PreparedContainer } from "./prepare.ts";
import { startPrepared } from "./start.ts";
import { discardContainer, sweepContainers } from "../../containers/take_down.ts";

/**
 * Runs a container from the words after `run`.
 *
 * @return Its exit status; 0 where it runs in the background.
 * @throws {HpkError} When it cannot be started; nothing is left of the attempt.
 */
export async function runContainer(words: readonly string[]): Promise<number> {
  const request = readRun(words, "hpktainer run", caller());
  if (request === undefined) return tell(runHelp("run"));
  const { options } = request;
  checkRoot();
  if (!options.detach) checkTerminal(options.terminal);
  const prepared = await makeContainer(request);
  const status = await startPrepared(prepared, {
    foreground: !options.detach,
    interactive: options.interactive,
    isNew: true,
  });
  if (options.detach) tell(`${prepared.container.id}\n`);
  return status;
}

/**
 * Makes a container from the words after `create`, without starting it.
 *
 * @return Its id; undefined when help was asked for.
 */
export async function createContainer(words: readonly string[]): Promise<string | undefined> {
  const request = readRun(words, "hpktainer container create", caller());
  if (request === undefined) {
    tell(runHelp("create"));
    return undefined;
  }
  checkRoot();
  const prepared = await makeContainer(request);
  updateContainer({ ...prepared.container, maker: null });
  return prepared.container.id;
}

/** Makes a container on disk, when all that can be checked is checked. */
async function makeContainer(
  { options, image: given, args }: RunRequest,
): Promise<PreparedContainer> {
  const { pull, platform, authFile, quiet } = options;
  if (options.cidFile !== undefined) checkCidFile(options.cidFile);
  sweepContainers(false);
  const image = await readyImage(given, { pull, platform, authFile, quiet });
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
    directory: Deno.cwd(),
    maker: thisProcess(),
  };
  const prepared = prepareContainer(container);
  storeContainer(container);
  try {
    holdImage(image, { id, name: container.name, keptBy: pathsOf(id).directory });
    if (options.cidFile !== undefined) {
      Deno.writeTextFileSync(options.cidFile, id, { createNew: true });
    }
  } catch (error) {
    discardContainer(id);
    throw error;
  }
  for (const warning of prepared.warnings) complain(`hpktainer: ${warning}`);
  faultPoint("crun.stored");
  return prepared;
}

/** Writes text to standard output. */
function tell(text: string): number {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
  return 0;
}

/** Writes a line to standard error. */
function complain(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
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
