/**
 * Copies between our standard streams and a container's, through conmon's socket: each message from
 * it begins with a byte that names the stream; data to it is the container's input.
 */

import {
  connectUnixPackets,
  type FileDescriptor,
  RawTerminal,
  readSome,
  shutdownWriting,
  waitReadableAside,
  waitWritableAside,
  writeFrom,
} from "@hpk/core/ffi";
import { exists, pause } from "@hpk/core/os";
import { DetachScanner } from "../../containers/pure/detach_keys.ts";
import type { AttachOptions, CopiedStreams, CopyEnd } from "../../containers/runtime.ts";
import type { StoredContainer } from "../../containers/pure/stored_container.ts";
import type { Caller, Streams } from "../../shared/pure/caller.ts";
import { type CrunPaths, crunPathsOf } from "./engine.ts";
import { writeBytes } from "../../shared/streams.ts";

/** How streams are copied. */
export interface CopyOptions extends AttachOptions {
  readonly paths: Pick<CrunPaths, "attach" | "control">;
  readonly terminal: boolean;
}

const HUNG_UP: CopyEnd = { signal: "SIGHUP", status: 129 };
const UNREAD: CopyEnd = { signal: "SIGPIPE", status: 141 };

/** Streams by the first byte of a message (conmon, conn_sock.h). */
const STDERR = 3;

/** Buffer size, larger than any message of conmon: 8 KiB and the first byte. */
const BUFFER_SIZE = 32 * 1024;

/** Largest message that conmon accepts. */
const INPUT_SIZE = 8 * 1024;

/** conmon's message for a new size of the terminal (conmon, ctrl.h). */
const RESIZE = 1;

/** Pause before a message is sent again that the container has no room for yet, in ms. */
const FULL_PAUSE_MS = 5;

/** A container's streams, connected before its command starts so that nothing is lost. */
export class ContainerStreams implements CopiedStreams {
  readonly #socket: FileDescriptor;
  readonly #streams: Streams;
  readonly #options: CopyOptions;

  /**
   * Connects to a container.
   *
   * @throws {SystemCallError} When conmon has ended.
   */
  constructor(streams: Streams, options: CopyOptions) {
    this.#streams = streams;
    this.#options = options;
    this.#socket = connectUnixPackets(options.paths.attach);
    if (options.terminal) this.#resize();
  }

  /**
   * Copies until the container ends or the user detaches. Restores the terminal before it returns.
   */
  async copy(): Promise<CopyEnd> {
    const { terminal, interactive } = this.#options;
    const { descriptor } = this.#streams.stdin;
    using _raw = terminal && interactive && descriptor !== undefined
      ? new RawTerminal(descriptor)
      : undefined;
    const resize = () => this.#resize();
    if (terminal) Deno.addSignalListener("SIGWINCH", resize);
    try {
      const output = this.#copyOutput();
      if (!interactive) return await output;
      return await Promise.race([output, this.#copyInput()]);
    } finally {
      if (terminal) Deno.removeSignalListener("SIGWINCH", resize);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #copyOutput(): Promise<CopyEnd> {
    const buffer = new Uint8Array(BUFFER_SIZE);
    for (;;) {
      const count = readSome(this.#socket.fd, buffer);
      if (count === undefined) {
        await waitReadableAside([this.#socket.fd]);
        continue;
      }
      if (count === 0) return "ended";
      const stream = buffer[0] === STDERR ? this.#streams.stderr : this.#streams.stdout;
      if (!await writeBytes(stream, buffer.subarray(1, count))) return UNREAD;
    }
  }

  /** Ends when the user detaches, or the terminal is gone. */
  async #copyInput(): Promise<CopyEnd> {
    const scanner = new DetachScanner(this.#options.terminal ? this.#options.detachKeys : []);
    const buffer = new Uint8Array(INPUT_SIZE);
    for (;;) {
      const count = await this.#streams.stdin.read(buffer).catch(() => null);
      if (count === null) break;
      const { forward, detached } = scanner.take(buffer.subarray(0, count));
      await this.#send(forward);
      if (detached) return "detached";
    }
    if (this.#options.terminal) return HUNG_UP;
    shutdownWriting(this.#socket.fd);
    return await new Promise(() => {});
  }

  async #send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (bytes.length === 0) return;
    // A message is accepted whole or not at all; one for an ended container is lost.
    while (writeFrom(this.#socket.fd, bytes) === -1) {
      if (!await waitWritableAside(this.#socket.fd)) return;
      await pause(FULL_PAUSE_MS);
    }
  }

  /** Sets the size of the container's terminal to ours. */
  #resize(): void {
    try {
      const { rows, columns } = this.#streams.terminalSize();
      using control = Deno.openSync(this.#options.paths.control, { write: true });
      control.writeSync(new TextEncoder().encode(`${RESIZE} ${rows} ${columns}\n`));
    } catch {
      // The terminal or the container is gone: the size does not matter.
    }
  }
}

/**
 * Connects the caller's streams to a container in the background.
 *
 * @return Undefined if its streams do not go through conmon.
 */
export function attachStreams(
  caller: Caller,
  { id, options }: StoredContainer,
  how: AttachOptions,
): CopiedStreams | undefined {
  const paths = crunPathsOf(id);
  if (!exists(paths.attach)) return undefined;
  return new ContainerStreams(caller.streams, { paths, terminal: options.terminal, ...how });
}
