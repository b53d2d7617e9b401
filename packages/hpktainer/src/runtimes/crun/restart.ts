/** Starts a container again that is kept, and attaches to one that runs. */

import { HpkError } from "@hpk/core";
import { Ledger } from "@hpk/core/os";
import { releaseName } from "../../attach/attach.ts";
import { DEFAULT_DETACH_KEYS, readDetachKeys } from "../../containers/pure/detach_keys.ts";
import { type Caller, requireTerminal } from "../../shared/pure/caller.ts";
import { identifySupervisor } from "../../containers/supervisor.ts";
import { exitStatusOf, SignalForwarder, waitForEnd } from "../../containers/container_end.ts";
import { pathsOf } from "../../containers/paths.ts";
import {
  findContainer,
  findRunning,
  firstProcessOf,
  requireRootForContainers,
} from "../../containers/store.ts";
import { ContainerStreams } from "./streams.ts";
import { prepareContainer } from "./prepare.ts";
import { startPrepared } from "./start.ts";

/**
 * Starts a container that does not run. One that runs is left alone.
 *
 * @param attached Whether we wait for it and have its output.
 * @param interactive Whether our input goes to it, too.
 * @return Its exit status where we wait for it, else 0.
 */
export async function restartContainer(
  caller: Caller,
  wanted: string,
  attached: boolean,
  interactive: boolean,
): Promise<number> {
  requireRootForContainers(caller);
  const { container, status } = findContainer(wanted);
  if (status === "running") {
    return attached ? await attachToContainer(caller, wanted, interactive) : 0;
  }
  if (attached) requireTerminal(caller, container.options.terminal && interactive);
  await releaseName(new Ledger(), container.name);
  const prepared = prepareContainer(caller, container);
  return await startPrepared(caller, prepared, { foreground: attached, interactive, isNew: false });
}

/**
 * Attaches our streams to a container that runs in the background.
 *
 * @return Its exit status; 0 when it was left by the keys.
 */
export async function attachToContainer(
  caller: Caller,
  wanted: string,
  interactive: boolean,
  detachKeys?: string,
): Promise<number> {
  requireRootForContainers(caller);
  const { container: { id, options } } = findRunning(wanted, "attach to");
  const takesInput = interactive && options.interactive;
  requireTerminal(caller, options.terminal && takesInput);
  const conmon = identifySupervisor(id);
  const init = firstProcessOf(id, "attach to");
  if (!hasStreams(id) || conmon === undefined) {
    throw new HpkError({
      what: `cannot attach to '${wanted}'`,
      why: "its streams are those of whoever started it",
      fix: "look there",
    });
  }
  using streams = new ContainerStreams(caller.streams, {
    paths: pathsOf(id),
    terminal: options.terminal,
    interactive: takesInput,
    detachKeys: readDetachKeys(detachKeys ?? options.detachKeys ?? DEFAULT_DETACH_KEYS),
  });
  using signals = options.forwardSignals ? new SignalForwarder(init) : undefined;
  signals?.begin();
  // Whoever leaves, or loses the terminal, does not end a container in the background.
  if (await streams.copy() !== "ended") return 0;
  await waitForEnd(conmon);
  return exitStatusOf(id);
}

/** Whether a container's streams go through its conmon. */
export function hasStreams(id: string): boolean {
  try {
    Deno.lstatSync(pathsOf(id).attach);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
