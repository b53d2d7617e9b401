/** Events of containers and of what containers share, and their format. */

import { type ContainerRecord, escapeControls } from "@hpk/core";
import { printable } from "./printable.ts";

/** Kinds of events. */
export type EventKind = "started" | "ended" | "released" | "repaired";

/** All kinds of events. */
const EVENTS: readonly EventKind[] = ["started", "ended", "released", "repaired"];

/** What can be repaired. */
export type RepairedPart = "bridge" | "forwarding" | "firewall" | "names" | "monitor";

/** A container in an event, which outlives the container's record. */
export interface EventContainer {
  /** Twelve hexadecimal digits. */
  readonly id: string;
  /** Its name; its id if it was not named. */
  readonly name: string;
  /** The image as the user named it; long names are cut. */
  readonly image: string;
  /** Whether it exists as long as its command or until it is stopped. */
  readonly kind: ContainerRecord["kind"];
  /** Name of the runtime that runs it. */
  readonly runtime: string;
  /** The kind of its network; "host" and "none" mean that it does not have ours. */
  readonly mode: ContainerRecord["mode"];
  /** IPv4 address; null where there is none. */
  readonly address: string | null;
  /** IPv6 address; null where there is none. */
  readonly address6: string | null;
}

/** A line of `events --json` and of the file. The shape is stable: keys are only added. */
export interface HpkEvent {
  /** Version of this shape. */
  readonly version: 1;
  /** ISO 8601, UTC, with milliseconds. */
  readonly time: string;
  /**
   * "started": the container runs. "ended": its end was noticed. "released": its network is
   * removed; also after a failed start. "repaired": something that containers share was missing or
   * changed, and was repaired.
   */
  readonly event: EventKind;
  /** Null for "repaired". */
  readonly container: EventContainer | null;
  /** Exit status of a container that has "ended", if known. */
  readonly exitStatus: number | null;
  /** What was "repaired"; else null. */
  readonly part: RepairedPart | null;
  /** More about it, as text for people; null if there is nothing more to say. */
  readonly detail: string | null;
}

/** Maximum length of a text in an event, in characters: a line is written in one call. */
const LONGEST_TEXT = 400;

/** A container's part of an event. */
export function eventContainer(record: ContainerRecord): EventContainer {
  const { id, name, image, kind, runtime, mode, address, address6 } = record;
  return {
    id,
    name: cut(name),
    image: cut(image),
    kind,
    runtime: cut(runtime),
    mode,
    address,
    address6,
  };
}

/** An event as one line of JSON without control characters, with its line feed. */
export function formatEventLine(event: HpkEvent): string {
  const { detail } = event;
  const line = JSON.stringify({ ...event, detail: detail === null ? null : cut(detail) });
  return `${escapeControls(line)}\n`;
}

/** Parses a line; undefined if it is invalid, such as one cut short by a full disk. */
export function parseEventLine(line: string): HpkEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null) return undefined;
    const event = value as Partial<HpkEvent>;
    const isEvent = event.version === 1 && typeof event.time === "string" &&
      EVENTS.some((kind) => kind === event.event);
    return isEvent ? value as HpkEvent : undefined;
  } catch {
    return undefined;
  }
}

/** An event as text, without time and line feed: `started   web (0123456789ab) 10.96.0.2 x.sif`. */
export function describeEvent({ event, container, exitStatus, part, detail }: HpkEvent): string {
  const kind = event.padEnd(Math.max(...EVENTS.map(({ length }) => length)));
  const what = container === null
    ? [`${part ?? "something"}${detail === null ? "" : `: ${detail}`}`]
    : [...namesOf(container), ...detailsOf(event, container, exitStatus, detail)];
  return printable([kind, ...what].join(" "));
}

/** Its name, and its id if that differs. */
function namesOf({ name, id }: EventContainer): string[] {
  return name === id ? [id] : [name, `(${id})`];
}

function detailsOf(
  event: EventKind,
  container: EventContainer,
  exitStatus: number | null,
  detail: string | null,
): string[] {
  const more = detail === null ? [] : [detail];
  if (event === "started") return [container.address ?? container.mode, container.image, ...more];
  return exitStatus === null ? more : [`status ${exitStatus}`, ...more];
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}
