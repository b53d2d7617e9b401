/** Starts a stored container again, and attaches to a running one. */

import { HpkError } from "@hpk/core";
import { Ledger } from "@hpk/core/os";
import { releaseName } from "../attach/attach.ts";
import { exitStatusOf, SignalForwarder, waitForEnd } from "../containers/container_end.ts";
import { engineNamed } from "../containers/engines/table.ts";
import { DEFAULT_DETACH_KEYS, readDetachKeys } from "../containers/pure/detach_keys.ts";
import {
  findRunning,
  findStoredContainer,
  firstProcessOf,
  requireRootForContainers,
} from "../containers/store.ts";
import { type Caller, requireTerminal } from "../shared/pure/caller.ts";
import { prepareToStart, startPrepared } from "./start.ts";
import { verbOf } from "./table.ts";

/**
 * Starts a stopped container. A running one is left alone.
 *
 * @param attached Whether we wait for it and get its output.
 * @param interactive Whether it gets our input, too.
 * @return Its exit status if we wait for it, else 0.
 */
export async function restartContainer(
  caller: Caller,
  wanted: string,
  attached: boolean,
  interactive: boolean,
): Promise<number> {
  requireRootForContainers(caller);
  const { container, status } = findStoredContainer(wanted);
  if (status === "running") {
    return attached ? await attachToContainer(caller, wanted, interactive) : 0;
  }
  if (attached) requireTerminal(caller, container.options.terminal && interactive);
  await releaseName(new Ledger(), container.name);
  const ready = await prepareToStart(caller, container);
  return await startPrepared(caller, ready, { foreground: attached, interactive, isNew: false });
}

/**
 * Attaches our streams to a container in the background.
 *
 * @return Its exit status; 0 if the user detached.
 */
export async function attachToContainer(
  caller: Caller,
  wanted: string,
  interactive: boolean,
  detachKeys?: string,
): Promise<number> {
  requireRootForContainers(caller);
  const { container } = findRunning(wanted, "attach to");
  const { id, options, runtime } = container;
  const attach = await verbOf(runtime, "attach");
  const takesInput = interactive && options.interactive;
  requireTerminal(caller, options.terminal && takesInput);
  const supervisor = (await engineNamed(runtime)).supervisor(id);
  const init = firstProcessOf(id, "attach to");
  const keys = detachKeys ?? options.detachKeys ?? DEFAULT_DETACH_KEYS;
  using streams = supervisor === undefined ? undefined : attach(caller, container, {
    interactive: takesInput,
    detachKeys: readDetachKeys(keys),
  });
  if (supervisor === undefined || streams === undefined) {
    throw new HpkError({
      what: `cannot attach to '${wanted}'`,
      why: "its streams are those of the process that started it",
      fix: "use the terminal or files of that process",
    });
  }
  using signals = options.forwardSignals ? new SignalForwarder(init) : undefined;
  signals?.begin();
  // To detach, or to lose the terminal, does not end a container in the background.
  if (await streams.copy() !== "ended") return 0;
  await waitForEnd(supervisor);
  return exitStatusOf(id);
}
