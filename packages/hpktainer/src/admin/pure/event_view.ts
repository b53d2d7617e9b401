/** Which events are shown, and how. */

import { HpkError } from "@hpk/core";
import { describeEvent, type HpkEvent } from "../../shared/pure/event.ts";

/** Milliseconds of the units of a duration. */
const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads the start of the wanted events: a time in ISO 8601, or a duration before now such as "90s",
 * "10m", "2h" or "1d".
 *
 * @param now In ms since 1970.
 * @return ISO 8601, UTC, as events have it.
 * @throws {HpkError} When it is neither.
 */
export function parseSince(text: string, now: number): string {
  const [, count, unit] = /^([0-9]+)([smhd])$/.exec(text) ?? [];
  const isMoment = /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(text);
  const moment = unit !== undefined
    ? now - Number(count) * UNITS[unit]!
    : isMoment
    ? Date.parse(text)
    : NaN;
  const date = new Date(moment);
  if (!Number.isNaN(date.getTime())) return date.toISOString();
  throw new HpkError({
    what: `cannot use --since ${JSON.stringify(text)}`,
    why: "it is neither a time nor a duration",
    fix: "write a time such as 2026-01-31T08:00:00Z, or a duration such as 90s, 10m, 2h or 1d",
  });
}

/** Whether an event is not older than a time; true for every event if no time is given. */
export function isSince({ time }: HpkEvent, since: string | undefined): boolean {
  return since === undefined || time >= since;
}

/** An event for a person, with its time in whole seconds: one line. */
export function formatEvent(event: HpkEvent): string {
  return `${event.time.replace(/\.[0-9]+Z$/, "Z")}  ${describeEvent(event)}\n`;
}
