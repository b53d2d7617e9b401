/**
 * A container's output as conmon keeps it, in the format of Kubernetes' container logs: lines of
 * `TIME STREAM TAG TEXT`, where the tag P means that the line continues in the next entry, and F
 * that it ends.
 */

/** A piece of output. */
export interface LogEntry {
  /** RFC 3339 with nanoseconds, as written. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** The text, with its line feed if it has one. */
  readonly text: string;
}

/** Reads an entry; undefined for an invalid line, such as an incomplete one. */
export function parseLogLine(line: string): LogEntry | undefined {
  const match = /^(\S+) (stdout|stderr) ([FP])(?: (.*))?$/s.exec(line);
  if (match === null) return undefined;
  const [, time, stream, tag, text = ""] = match as unknown as [
    string,
    string,
    LogEntry["stream"],
    string,
    string?,
  ];
  return { time, stream, text: tag === "F" ? `${text}\n` : text };
}

/** Which entries are wanted. */
export interface LogSelection {
  /** Number of last lines; undefined for all. */
  readonly tail: number | undefined;
  /** Start time, in ms since 1970. */
  readonly since: number | undefined;
  readonly until: number | undefined;
}

/** Filters entries. */
export function selectEntries(
  entries: readonly LogEntry[],
  { tail, since, until }: LogSelection,
): LogEntry[] {
  const chosen = entries.filter(({ time }) => {
    const at = Date.parse(time);
    return (since === undefined || at >= since) && (until === undefined || at <= until);
  });
  if (tail === undefined) return chosen;
  let lines = 0;
  let from = chosen.length;
  while (from > 0) {
    const ends = chosen[from - 1]!.text.endsWith("\n");
    // An incomplete last line counts too.
    if (ends || from === chosen.length) lines++;
    if (lines > tail) break;
    from--;
  }
  return chosen.slice(from);
}

/**
 * Reads a value of `--since`: an age such as `10m` or `1h30m`, an RFC 3339 time, or seconds since
 * 1970.
 *
 * @param now In ms since 1970.
 * @return In ms since 1970; undefined if it is not a time.
 */
export function readTime(text: string, now: number): number | undefined {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text) * 1000;
  if (/^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/.test(text)) {
    const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
    const parts = text.matchAll(/([0-9.]+)(ms|s|m|h)/g);
    return now - [...parts].reduce((sum, part) => sum + Number(part[1]) * units[part[2]!]!, 0);
  }
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
