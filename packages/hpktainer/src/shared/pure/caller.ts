/**
 * The caller of a use case: use cases read its properties from a Caller, never from their own
 * process.
 */

import { HpkError } from "@hpk/core/errors";
import type { ProcessId } from "@hpk/core";

/** The process that requests something, and its environment. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute working directory, the base of relative paths. */
  readonly directory: string;
  /** The owner of a container until the container has processes of its own. */
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

/** A standard stream. */
export interface Stream {
  /**
   * The stream's descriptor in this process, which its child processes can inherit; undefined if
   * there is none.
   */
  readonly descriptor: number | undefined;
  isTerminal(): boolean;
}

/** A stream to read from. */
export interface InputStream extends Stream {
  /** Reads some bytes into the buffer. @return Their number; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** A stream to write to. */
export interface OutputStream extends Stream {
  /** Writes some of the bytes. @return Their number. */
  write(bytes: Uint8Array): Promise<number>;
  /** Writes some of the bytes without yielding. @return Their number. */
  writeSync(bytes: Uint8Array): number;
}

/** The streams of a caller whose own streams are not available. */
export const NO_STREAMS: Streams = {
  stdin: { descriptor: undefined, isTerminal: () => false, read: () => Promise.resolve(null) },
  stdout: discarding(),
  stderr: discarding(),
  terminalSize: () => {
    throw new Error("the caller has no terminal");
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

/** Resolves a path against the caller's working directory. */
export function absolutePath(caller: Pick<Caller, "directory">, path: string): string {
  return path.startsWith("/") ? path : `${caller.directory}/${path}`;
}

/**
 * Checks that the caller has a terminal if one is requested.
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
