import { HpkError } from "@hpk/core";
import {
  drain,
  type FileDescriptor,
  SystemCallError,
  waitReadable,
  watchWrites,
} from "@hpk/core/ffi";
import { olderPart } from "@hpk/core/os";
import { EVENT_LOG } from "../shared/log_files.ts";
import { type HpkEvent, parseEventLine } from "../shared/pure/event.ts";
import { isSince } from "./pure/event_view.ts";

/** Which events are wanted. */
export interface EventSelection {
  /** ISO 8601, UTC; undefined for all that are kept. */
  readonly since: string | undefined;
  /** Whether to go on with what happens. */
  readonly follow: boolean;
}

const CURRENT = `${EVENT_LOG.directory}/${EVENT_LOG.name}`;

/** Bytes read at a time. */
const CHUNK = 64 * 1024;

/** How often it is looked for something new where nothing can tell of it, in ms. */
const POLL_MS = 1_000;

/** Standard output. */
const STDOUT = 1;

/**
 * Shows events, oldest first. Takes no lock and needs no root. Following blocks this thread: it ends with
 * a signal, or when nobody reads any more.
 *
 * @param show Shows one; false where nobody reads any more.
 * @throws {HpkError} When what is kept cannot be read.
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
  // After the other, so that none is missed that is set aside in between.
  const older = openPart(olderPart(EVENT_LOG));
  if (older?.inode !== current?.inode && !showAll(older)) return;
  let watch: FileDescriptor | undefined;
  for (;;) {
    // Before the reading, so that nothing happens unseen.
    if (follow && watch === undefined) watch = tryWatch();
    if (!showAll(current)) return;
    const next = current?.isAt(CURRENT) === true ? undefined : openPart(CURRENT);
    if (next !== undefined) {
      // What was written to the last one until it was set aside.
      if (!showAll(current)) return;
      current?.[Symbol.dispose]();
      current = next;
    } else if (!follow || hasNoReader(watch)) return;
    else if (watch !== undefined) drain(watch);
  }
}

/** Waits until something may have happened. @return Whether nobody reads our output any more. */
function hasNoReader(watch: FileDescriptor | undefined): boolean {
  const output = Deno.statSync(`/proc/self/fd/${STDOUT}`).isFifo ? [STDOUT] : [];
  const watched = watch === undefined ? [] : [watch.fd];
  const ready = waitReadable([...watched, ...output], watch === undefined ? POLL_MS : -1);
  // The end of a pipe that is written to has nothing to read: it is an error that it tells of.
  return ready.includes(STDOUT);
}

/** Watches the directory, if it is there and the kernel has a watch left. */
function tryWatch(): FileDescriptor | undefined {
  try {
    return watchWrites(EVENT_LOG.directory);
  } catch (error) {
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
}

/** One part of what is kept, which may grow. */
class EventFile implements Disposable {
  readonly inode: number | null;
  readonly #file: Deno.FsFile;
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(CHUNK);
  #isOpen = true;
  #rest = "";

  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.inode = file.statSync().ino;
  }

  /** The events that have come since the last call. */
  read(): HpkEvent[] {
    let text = this.#rest;
    for (;;) {
      const count = this.#file.readSync(this.#buffer);
      if (count === null || count === 0) break;
      text += this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true });
    }
    const lines = text.split("\n");
    this.#rest = lines.pop()!;
    return lines.flatMap((line) => parseEventLine(line) ?? []);
  }

  /** Whether a path names it. */
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
