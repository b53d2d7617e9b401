/** Reports the progress of a pull on standard error: as a bar on a terminal, else as lines. */

import type { Streams } from "../shared/pure/caller.ts";
import { writeText } from "../shared/streams.ts";
import { formatAdvance, formatBar } from "../shared/pure/units.ts";

/** A step with countable progress. */
export interface Countable {
  /** Bytes in all. */
  readonly total: number;
  /** Bytes so far. */
  readonly count: () => number;
}

/** Progress reporter for a pull. */
export interface Progress {
  /** Reports a line. */
  say(text: string): void;
  /**
   * Begins a step.
   *
   * @return A function to call at its end.
   */
  start(what: string, countable?: Countable): () => void;
}

/** Time between two updates of a bar, and between two lines, in ms. */
const BAR_MS = 200;
const LINE_MS = 10_000;

/** Back to the start of the line, which is cleared to its end (ECMA-48: CR; CSI K, EL). */
const NEW_LINE = "\r\x1b[K";

/** Columns of a terminal of unknown size. */
const DEFAULT_COLUMNS = 80;

/**
 * Makes the progress reporter for one pull.
 *
 * @param streams The caller's.
 * @param name The image's short name.
 * @param quiet Reports nothing.
 */
export function createProgress(streams: Streams, name: string, quiet: boolean): Progress {
  if (quiet) return { say: () => {}, start: () => () => {} };
  const say = (text: string) => writeText(streams.stderr, `${name}: ${text}\n`);
  return {
    say,
    start: (what, countable) => {
      if (countable === undefined) return startPlain(say, what);
      return streams.stderr.isTerminal()
        ? startBar(streams, name, what, countable)
        : startLines(say, what, countable);
    },
  };
}

function startPlain(say: (text: string) => void, what: string): () => void {
  say(what);
  return () => {};
}

function startBar(
  streams: Streams,
  name: string,
  what: string,
  { total, count }: Countable,
): () => void {
  const draw = () => {
    const text = formatBar(name, what, { done: count(), total }, columnsOf(streams));
    writeText(streams.stderr, `${NEW_LINE}${text}`);
  };
  draw();
  const timer = setInterval(draw, BAR_MS);
  return () => {
    clearInterval(timer);
    writeText(streams.stderr, NEW_LINE);
  };
}

function startLines(
  say: (text: string) => void,
  what: string,
  { total, count }: Countable,
): () => void {
  const report = () => say(`${what}, ${formatAdvance({ done: count(), total })}`);
  report();
  const timer = setInterval(report, LINE_MS);
  return () => {
    clearInterval(timer);
  };
}

function columnsOf(streams: Streams): number {
  try {
    return streams.terminalSize().columns || DEFAULT_COLUMNS;
  } catch {
    // It queries standard input, which may not be a terminal.
    return DEFAULT_COLUMNS;
  }
}
