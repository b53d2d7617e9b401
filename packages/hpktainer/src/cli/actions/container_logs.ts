import { HpkError } from "@hpk/core";
import { readLogs } from "../../containers/logs.ts";
import { readTime } from "../../containers/pure/log_lines.ts";
import type { Caller } from "../../shared/pure/caller.ts";
import { printTo } from "../output.ts";

/** Options of `hpktainer container logs`. */
export interface LogOptions {
  readonly follow?: true;
  readonly tail: string;
  readonly timestamps?: true;
  readonly since?: string;
  readonly until?: string;
}

/** `hpktainer container logs CONTAINER`. */
export async function logs(
  caller: Caller,
  { follow, tail, timestamps, since, until }: LogOptions,
  name: string,
): Promise<void> {
  const selection = {
    tail: toTail(tail),
    since: toTime("--since", since),
    until: toTime("--until", until),
  };
  for await (const entry of readLogs(caller, name, selection, follow ?? false)) {
    const text = timestamps ? `${entry.time} ${entry.text}` : entry.text;
    if (!printTo(entry.stream, text)) return;
  }
}

function toTail(text: string): number | undefined {
  if (text === "all") return undefined;
  if (/^[0-9]+$/.test(text)) return Number(text);
  throw new HpkError({
    what: `cannot use --tail ${text}`,
    why: "it is not a number of lines",
    fix: "give a number, or all",
  });
}

function toTime(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = readTime(text, Date.now());
  if (time !== undefined) return time;
  throw new HpkError({
    what: `cannot use ${option} ${text}`,
    why: "it is not a time",
    fix: "give an RFC 3339 time, or an age such as 10m",
  });
}
