import type { ContainerRecord } from "@hpk/core";
import { faultPoint, Ledger } from "@hpk/core/os";
import { takeDown } from "../attach/teardown.ts";
import { exitStatusOf, sendTo, SignalForwarder, waitForEnd } from "../containers/container_end.ts";
import type { StoredContainer } from "../containers/pure/stored_container.ts";
import type { MadeContainer, PreparedContainer, StartMode } from "../containers/runtime.ts";
import { updateContainer } from "../containers/store.ts";
import { discardContainer } from "../containers/take_down.ts";
import { recordStart } from "../shared/events.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { chooseNetwork, giveNetwork, type NetworkChoice } from "./network.ts";
import { runtimeNamed } from "./table.ts";

/** A container that is ready to start. */
export interface ReadyContainer {
  readonly container: StoredContainer;
  readonly prepared: PreparedContainer;
  readonly network: NetworkChoice;
}

/** How long a container may take to end after its user is gone, in ms. */
const GRACE_MS = 3_000;

/**
 * Checks as much as possible before anything is created for a container.
 *
 * @throws {HpkError} When it cannot be run.
 */
export async function prepareToStart(
  caller: Caller,
  container: StoredContainer,
): Promise<ReadyContainer> {
  const runtime = await runtimeNamed(container.runtime);
  const network = chooseNetwork(caller, container);
  return { container, network, prepared: runtime.prepare(container) };
}

/**
 * Starts a container.
 *
 * @return Its exit status, or 0 if it runs in the background.
 * @throws {HpkError} When it cannot be started. A new container is then removed.
 */
export async function startPrepared(
  caller: Caller,
  { container, prepared, network }: ReadyContainer,
  mode: StartMode,
): Promise<number> {
  const ledger = new Ledger();
  const { id, options } = container;
  let record: ContainerRecord;
  let made: MadeContainer | undefined;
  let signals: SignalForwarder | undefined;
  try {
    const given = await giveNetwork(ledger, caller, container, network);
    record = { ...given.record, phase: "running" };
    made = await prepared.make(caller, given, mode);
    // Before the command's first output: a reader of it may send a signal at once.
    if (mode.foreground && options.forwardSignals) signals = new SignalForwarder(made.init);
    await made.begin();
    signals?.begin();
    recordStart(record);
    updateContainer({ ...container, started: new Date().toISOString(), maker: null });
    faultPoint("container.started");
  } catch (error) {
    made?.streams?.[Symbol.dispose]();
    signals?.[Symbol.dispose]();
    await takeDown(ledger, (candidate) => candidate.id === id);
    if (mode.isNew) discardContainer(id);
    throw error;
  }
  if (!mode.foreground) {
    handOver(ledger, record, made);
    return 0;
  }
  using _signals = signals;
  using _streams = made.streams;
  ledger.write(record);
  faultPoint("container.running");
  return await waitInForeground(ledger, record, made);
}

/** Waits until a container ends or its user detaches. */
async function waitInForeground(
  ledger: Ledger,
  record: ContainerRecord,
  made: MadeContainer,
): Promise<number> {
  const { init, supervisor, streams } = made;
  if (streams !== undefined) {
    const end = await streams.copy();
    if (end === "detached") {
      handOver(ledger, record, made);
      return 0;
    }
    if (end !== "ended") {
      sendTo(init, end.signal);
      // If the container does not end, our own end will end it.
      if (supervisor !== undefined && !await waitForEnd(supervisor, GRACE_MS)) return end.status;
    }
  }
  if (supervisor !== undefined) await waitForEnd(supervisor);
  return exitStatusOf(record.id);
}

/** Makes the supervisor the container's owner. */
function handOver(ledger: Ledger, record: ContainerRecord, { supervisor }: MadeContainer): void {
  // If it has already ended, we stay the owner until we end.
  ledger.write({ ...record, owner: supervisor ?? record.owner });
  faultPoint("container.handed over");
}
