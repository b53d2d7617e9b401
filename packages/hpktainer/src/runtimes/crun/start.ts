import { type ContainerRecord, HpkError, oneLine } from "@hpk/core";
import { faultPoint, Ledger } from "@hpk/core/os";
import { DEFAULT_DETACH_KEYS, readDetachKeys } from "../../containers/pure/detach_keys.ts";
import type { StoredContainer } from "../../containers/pure/stored_container.ts";
import { takeDown } from "../../attach/teardown.ts";
import { writeBundle } from "./bundle.ts";
import { type ContainerProcesses, createUnderConmon, type StreamChoice } from "./conmon.ts";
import {
  exitStatusOf,
  sendTo,
  SignalForwarder,
  waitForEnd,
} from "../../containers/container_end.ts";
import { giveNetwork } from "./network.ts";
import { pathsOf } from "../../containers/paths.ts";
import { updateContainer } from "../../containers/store.ts";
import { ContainerStreams } from "./streams.ts";
import { runCrun } from "../../containers/engines/crun.ts";
import { mustBeCopied } from "./exec_streams.ts";
import type { PreparedContainer } from "./prepare.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { discardContainer } from "../../containers/take_down.ts";

/** How a container is started. */
export interface StartMode {
  /** Whether we wait for it, and it lives no longer than we do; else it goes on without us. */
  readonly foreground: boolean;
  /** Whether our input goes to it. */
  readonly interactive: boolean;
  /** Whether it is started for the first time, by `run`: if that fails, nothing stays of it. */
  readonly isNew: boolean;
}

/** How long a container may take to end when whoever used it is gone, in ms. */
const GRACE_MS = 3_000;

/**
 * Starts a container.
 *
 * @return Its exit status, or 0 where it goes on without us.
 * @throws {HpkError} When it cannot be started. A new one is removed then.
 */
export async function startPrepared(
  caller: Caller,
  prepared: PreparedContainer,
  mode: StartMode,
): Promise<number> {
  const ledger = new Ledger();
  const { id, options } = prepared.container;
  let record: ContainerRecord;
  let processes: ContainerProcesses;
  let streams: ContainerStreams | undefined;
  let signals: SignalForwarder | undefined;
  try {
    const network = await giveNetwork(ledger, caller, prepared);
    record = { ...network.record, phase: "running" };
    writeBundle(prepared, network);
    const choice = chooseStreams(caller, prepared.container, mode);
    processes = await createUnderConmon(prepared, choice);
    if (mode.foreground && choice.output === "kept") {
      streams = new ContainerStreams(caller.streams, {
        paths: pathsOf(id),
        terminal: options.terminal,
        interactive: mode.interactive,
        detachKeys: readDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS),
      });
    }
    // From before the command's first words on: whoever reads them may send a signal at once.
    if (mode.foreground && options.forwardSignals) signals = new SignalForwarder(processes.init);
    await startCommand(id);
    signals?.begin();
    updateContainer({ ...prepared.container, started: new Date().toISOString(), maker: null });
    faultPoint("crun.started");
  } catch (error) {
    streams?.[Symbol.dispose]();
    signals?.[Symbol.dispose]();
    await takeDown(ledger, (candidate) => candidate.id === id);
    if (mode.isNew) discardContainer(id);
    throw error;
  }
  if (!mode.foreground) {
    handOver(ledger, record, processes);
    return 0;
  }
  using _signals = signals;
  using _streams = streams;
  ledger.write(record);
  faultPoint("crun.running");
  return await waitInForeground(ledger, record, processes, streams);
}

/** Waits for a container to end, or for its user to leave it. */
async function waitInForeground(
  ledger: Ledger,
  record: ContainerRecord,
  processes: ContainerProcesses,
  streams: ContainerStreams | undefined,
): Promise<number> {
  const { init, conmon } = processes;
  if (streams !== undefined) {
    const end = await streams.copy();
    if (end === "detached") {
      handOver(ledger, record, processes);
      return 0;
    }
    if (end !== "ended") {
      sendTo(init, end.signal);
      // With our end comes that of a container that goes on nevertheless.
      if (conmon !== undefined && !await waitForEnd(conmon, GRACE_MS)) return end.status;
    }
  }
  if (conmon !== undefined) await waitForEnd(conmon);
  return exitStatusOf(record.id);
}

/** From now on the container lives as long as its conmon. */
function handOver(ledger: Ledger, record: ContainerRecord, { conmon }: ContainerProcesses): void {
  // One that has ended already is ours to the end, which is now.
  if (conmon !== undefined) ledger.write({ ...record, owner: conmon });
  faultPoint("crun.handed over");
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

/** Chooses how a container's streams are made. */
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
    // Whoever has left it may come back.
    keepInput: !mode.foreground || options.terminal,
  };
}
