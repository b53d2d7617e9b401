import { HpkError } from "@hpk/core";
import {
  drain,
  type FileDescriptor,
  SystemCallError,
  waitReadable,
  watchWrites,
} from "@hpk/core/ffi";
import { olderPart } from "@hpk/core/os";
import { LineReader } from "../shared/line_reader.ts";
import { EVENT_LOG } from "../shared/log_files.ts";
import { type HpkEvent, parseEventLine } from "../shared/pure/event.ts";
import { isSince } from "./pure/event_view.ts";

/** Which events are wanted. */
export interface EventSelection {
  /** ISO 8601, UTC; undefined for all kept events. */
  readonly since: string | undefined;
  /** Whether to wait for new events. */
  readonly follow: boolean;
}

const CURRENT = `${EVENT_LOG.directory}/${EVENT_LOG.name}`;

/** Poll interval where the directory cannot be watched, in ms. */
const POLL_MS = 1_000;

/** Standard output. */
const STDOUT = 1;

/**
 * Shows events, oldest first. Takes no lock and needs no root. Following blocks this thread: it
 * ends with a signal, or when the reader is gone.
 *
 * @param show Shows one; false when the reader is gone.
 * @throws {HpkError} When the event log cannot be read.
 */
export function showEvents(
  { since, follow }: EventSelection,
  show: (event: HpkEvent) => boolean,
): void {
  using open = new DisposableStack();
  const openPart = (path: string) => {
    const part = openIfExists(path);
    return part === undefined ? undefined : open.use(part);
  };
  const showAll = (part: EventFile | undefined): boolean =>
    part?.read().every((event) => !isSince(event, since) || show(event)) ?? true;

  let current = openPart(CURRENT);
  // After the older one, so that a rotation in between does not lose any.
  const older = openPart(olderPart(EVENT_LOG));
  if (older?.inode !== current?.inode && !showAll(older)) return;
  let watch: FileDescriptor | undefined;
  for (;;) {
    // Before reading, so that no event is missed.
    if (follow && watch === undefined) watch = tryWatch();
    if (!showAll(current)) return;
    const next = current?.isAt(CURRENT) === true ? undefined : openPart(CURRENT);
    if (next !== undefined) {
      // What was written to the previous file before it was rotated.
      if (!showAll(current)) return;
      current?.[Symbol.dispose]();
      current = next;
    } else if (!follow || hasNoReader(watch)) return;
    else if (watch !== undefined) drain(watch);
  }
}

/** Waits until something may have happened. @return Whether the reader of our output is gone. */
function hasNoReader(watch: FileDescriptor | undefined): boolean {
  const output = Deno.statSync(`/proc/self/fd/${STDOUT}`).isFifo ? [STDOUT] : [];
  const watched = watch === undefined ? [] : [watch.fd];
  const ready = waitReadable([...watched, ...output], watch === undefined ? POLL_MS : -1);
  // The writing end of a pipe has nothing to read: an event on it is an error.
  return ready.includes(STDOUT);
}

/** Watches the directory, if it exists and the kernel has a watch left. */
function tryWatch(): FileDescriptor | undefined {
  try {
    return watchWrites(EVENT_LOG.directory);
  } catch (error) {
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
}

/** One file of the event log, which may grow. */
class EventFile implements Disposable {
  readonly inode: number | null;
  readonly #file: Deno.FsFile;
  readonly #reader: LineReader;
  #isOpen = true;

  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.#reader = new LineReader(file);
    this.inode = file.statSync().ino;
  }

  /** The events since the last call. */
  read(): HpkEvent[] {
    return this.#reader.read().flatMap((line) => parseEventLine(line) ?? []);
  }

  /** Whether a path is this file. */
  isAt(path: string): boolean {
    try {
      return Deno.statSync(path).ino === this.inode;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }

  /** Closes it; a second call does nothing. */
  [Symbol.dispose](): void {
    if (this.#isOpen) this.#file.close();
    this.#isOpen = false;
  }
}

function openIfExists(path: string): EventFile | undefined {
  try {
    return new EventFile(Deno.openSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new HpkError({
      what: "cannot show events",
      why: `${path} cannot be read (${error instanceof Error ? error.name : error})`,
      fix: `let ${EVENT_LOG.directory} be a directory of root's with mode 755, or remove it`,
    }, { cause: error });
  }
}
