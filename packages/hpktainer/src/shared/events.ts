/**
 * Records events in the event log, and in the debug log. A failure to write does not fail a start
 * or a tear-down.
 */

import type { ContainerRecord } from "@hpk/core";
import { appendLine, log } from "@hpk/core/os";
import { EVENT_LOG } from "./log_files.ts";
import {
  describeEvent,
  eventContainer,
  type EventKind,
  formatEventLine,
  type HpkEvent,
  type RepairedPart,
} from "./pure/event.ts";

/**
 * Records events of containers.
 *
 * @param exitStatusOf Returns the exit status of an ended container, if known.
 */
export function recordEvents(
  event: Exclude<EventKind, "repaired">,
  records: readonly ContainerRecord[],
  exitStatusOf: (record: ContainerRecord) => number | undefined = () => undefined,
): void {
  write(records.map((record) => ({
    event,
    container: eventContainer(record),
    exitStatus: exitStatusOf(record) ?? null,
    part: null,
    detail: null,
  })));
}

/** Records that a container runs. */
export function recordStart(record: ContainerRecord): void {
  recordEvents("started", [record]);
}

/**
 * Records that something which containers share was repaired.
 *
 * @param detail What was wrong, as a clause.
 */
export function recordRepair(part: RepairedPart, detail: string): void {
  write([{ event: "repaired", container: null, exitStatus: null, part, detail }]);
}

function write(happened: readonly Omit<HpkEvent, "version" | "time">[]): void {
  if (happened.length === 0) return;
  const time = new Date().toISOString();
  const events = happened.map((what): HpkEvent => ({ version: 1, time, ...what }));
  for (const event of events) log("info", () => describeEvent(event));
  try {
    appendLine(EVENT_LOG, events.map(formatEventLine).join(""));
  } catch (error) {
    log("debug", () => `cannot record an event: ${error}`);
  }
}
