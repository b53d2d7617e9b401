import { HpkError, oneLine } from "@hpk/core";
import type { GivenNetwork, MadeContainer, StartMode } from "../../containers/runtime.ts";
import type { StoredContainer } from "../../containers/pure/stored_container.ts";
import { DEFAULT_DETACH_KEYS, readDetachKeys } from "../../containers/pure/detach_keys.ts";
import { mustBeCopied } from "../../containers/child_streams.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { writeBundle } from "./bundle.ts";
import { createUnderConmon, type StreamChoice } from "./conmon.ts";
import { crunPathsOf, runCrun } from "./engine.ts";
import type { CrunContainer } from "./prepare.ts";
import { ContainerStreams } from "./streams.ts";

/**
 * Creates a container under its own conmon; its command does not run yet.
 *
 * @throws {HpkError} When it cannot be created.
 */
export async function makeContainer(
  caller: Caller,
  prepared: CrunContainer,
  network: GivenNetwork,
  mode: StartMode,
): Promise<MadeContainer> {
  const { id, options } = prepared.container;
  writeBundle(prepared, network);
  const choice = chooseStreams(caller, prepared.container, mode);
  const { init, conmon } = await createUnderConmon(prepared, choice);
  const isCopied = mode.foreground && choice.output === "kept";
  return {
    init,
    supervisor: conmon,
    streams: isCopied
      ? new ContainerStreams(caller.streams, {
        paths: crunPathsOf(id),
        terminal: options.terminal,
        interactive: mode.interactive,
        detachKeys: readDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
      })
      : undefined,
    begin: () => startCommand(id),
  };
}

async function startCommand(id: string): Promise<void> {
  const { code, stderr } = await runCrun(["start", id]);
  if (code === 0) return;
  throw new HpkError({
    what: "cannot start the container",
    why: `crun says: ${oneLine(stderr)}`,
    fix: "see 'hpktainer doctor'",
  });
}

/** Chooses how a container's streams are connected. */
function chooseStreams(
  { streams: { stdin, stdout, stderr } }: Caller,
  { options }: StoredContainer,
  mode: StartMode,
): StreamChoice {
  const ours = mode.interactive ? [stdin, stdout, stderr] : [stdout, stderr];
  const direct = mode.foreground && mode.isNew && options.remove && !options.terminal &&
    !options.debug &&
    !ours.some(mustBeCopied);
  return {
    output: direct ? "direct" : "kept",
    interactive: options.interactive,
    // The user may attach again later.
    keepInput: !mode.foreground || options.terminal,
  };
}
