/**
 * Writes down what happens, and logs it. No start and no tear-down fails for want of that: where it cannot
 * be written, it is not.
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
 * Writes down what has happened to containers.
 *
 * @param exitStatusOf Tells the exit status of one that has ended, where it is known.
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

/** Writes down that a container runs. */
export function recordStart(record: ContainerRecord): void {
  recordEvents("started", [record]);
}

/**
 * Writes down that something which containers share was made again.
 *
 * @param detail What had become of it, as a clause.
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
    log("debug", () => `cannot write down an event: ${error}`);
  }
}
