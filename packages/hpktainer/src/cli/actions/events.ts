import { showEvents } from "../../admin/events.ts";
import { formatEvent, parseSince } from "../../admin/pure/event_view.ts";
import { formatEventLine } from "../../shared/pure/event.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { type JsonOption, printTo } from "../output.ts";

/** Options of `hpktainer events`. */
export interface EventOptions extends JsonOption {
  readonly follow?: true;
  readonly since?: string;
}

/** `hpktainer events`. */
export function events(_caller: Caller, { follow, since, json }: EventOptions): void {
  const selection = {
    since: since === undefined ? undefined : parseSince(since, Date.now()),
    follow: follow ?? false,
  };
  const format = json ? formatEventLine : formatEvent;
  showEvents(selection, (event) => printTo("stdout", format(event)));
}
