/** Tells the caller on standard error how a pull goes: by a bar on a terminal, by lines elsewhere. */

import { ProgressBar } from "@std/cli/unstable-progress-bar";
import type { Streams } from "../shared/pure/caller.ts";
import { writeBytes, writeText } from "../shared/streams.ts";
import { formatAdvance, formatBar } from "../shared/pure/units.ts";

/** A step whose advance can be counted. */
export interface Countable {
  /** Bytes in all. */
  readonly total: number;
  /** Bytes so far. */
  readonly count: () => number;
}

/** Whom a pull tells how it goes. */
export interface Progress {
  /** Tells something in a line. */
  say(text: string): void;
  /**
   * Begins a step.
   *
   * @return To be called at its end.
   */
  start(what: string, countable?: Countable): () => Promise<void>;
}

/** Time between two looks at a bar, and between two lines, in ms. */
const BAR_MS = 200;
const LINE_MS = 10_000;

/** Columns of a terminal that does not say its size. */
const DEFAULT_COLUMNS = 80;

/**
 * Makes what tells of one pull.
 *
 * @param streams The caller's.
 * @param name What people call the image.
 * @param quiet Tells nothing.
 */
export function createProgress(streams: Streams, name: string, quiet: boolean): Progress {
  if (quiet) return { say: () => {}, start: () => () => Promise.resolve() };
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

function startPlain(say: (text: string) => void, what: string): () => Promise<void> {
  say(what);
  return () => Promise.resolve();
}

function startBar(
  streams: Streams,
  name: string,
  what: string,
  { total, count }: Countable,
): () => Promise<void> {
  const bar = new ProgressBar({
    writable: new WritableStream({
      write: async (bytes) => {
        await writeBytes(streams.stderr, bytes);
      },
    }),
    max: total,
    clear: true,
    interval: BAR_MS,
    formatter: () => formatBar(name, what, { done: count(), total }, columnsOf(streams)),
  });
  return () => bar.stop();
}

function startLines(
  say: (text: string) => void,
  what: string,
  { total, count }: Countable,
): () => Promise<void> {
  const tell = () => say(`${what}, ${formatAdvance({ done: count(), total })}`);
  tell();
  const timer = setInterval(tell, LINE_MS);
  return () => {
    clearInterval(timer);
    return Promise.resolve();
  };
}

function columnsOf(streams: Streams): number {
  try {
    return streams.terminalSize().columns || DEFAULT_COLUMNS;
  } catch {
    // Standard input, which it asks, may be no terminal.
    return DEFAULT_COLUMNS;
  }
}
