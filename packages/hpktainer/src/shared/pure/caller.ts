/** On whose behalf something is done: use cases learn that from a Caller, never from their own process. */

import { HpkError } from "@hpk/core/errors";
import type { ProcessId } from "@hpk/core";

/** Who asks for something, and with what. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path of the directory in which relative paths begin. */
  readonly directory: string;
  /** Whose life a container depends on until it has processes of its own. */
  readonly process: ProcessId;
  readonly streams: Streams;
}

/** The caller's standard streams. */
export interface Streams {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /**
   * Size of the caller's terminal.
   *
   * @throws {Error} When there is none.
   */
  terminalSize(): TerminalSize;
}

/** Size of a terminal in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** What input and output have in common. */
export interface Stream {
  /**
   * The descriptor of this process that is the stream, so that programs started by this process can
   * have it; undefined where there is none.
   */
  readonly descriptor: number | undefined;
  isTerminal(): boolean;
}

/** A stream to read from. */
export interface InputStream extends Stream {
  /** Reads some bytes into the buffer. @return How many; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** A stream to write to. */
export interface OutputStream extends Stream {
  /** Writes some of the bytes. @return How many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Writes some of the bytes without yielding. @return How many. */
  writeSync(bytes: Uint8Array): number;
}

/** The streams of a caller that keeps its own to itself. */
export const NO_STREAMS: Streams = {
  stdin: { descriptor: undefined, isTerminal: () => false, read: () => Promise.resolve(null) },
  stdout: discarding(),
  stderr: discarding(),
  terminalSize: () => {
    throw new Error("the caller has no terminal here");
  },
};

function discarding(): OutputStream {
  return {
    descriptor: undefined,
    isTerminal: () => false,
    write: (bytes) => Promise.resolve(bytes.length),
    writeSync: (bytes) => bytes.length,
  };
}

/** A path of the caller's as an absolute one. */
export function absolutePath(caller: Pick<Caller, "directory">, path: string): string {
  return path.startsWith("/") ? path : `${caller.directory}/${path}`;
}

/**
 * Checks that the caller has a terminal where one is asked for.
 *
 * @throws {HpkError} When there is none.
 */
export function requireTerminal({ streams }: Pick<Caller, "streams">, wanted: boolean): void {
  if (!wanted || streams.stdin.isTerminal()) return;
  throw new HpkError({
    what: "cannot give the container a terminal",
    why: "standard input is not a terminal",
    fix: "leave -t out",
  });
}
