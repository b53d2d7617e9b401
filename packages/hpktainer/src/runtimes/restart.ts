/** Starts a container again that is kept, and attaches to one that runs. */

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
      why: "its streams are those of who started it",
      fix: "look there",
    });
  }
  using signals = options.forwardSignals ? new SignalForwarder(init) : undefined;
  signals?.begin();
  // To leave it, or to lose the terminal, does not end a container in the background.
  if (await streams.copy() !== "ended") return 0;
  await waitForEnd(supervisor);
  return exitStatusOf(id);
}
