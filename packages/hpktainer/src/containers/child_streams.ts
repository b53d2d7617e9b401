/** Runs a runtime's program with streams that are copied from and to the caller's. */

import {
  acceptUnix,
  type FileDescriptor,
  listenUnix,
  RawTerminal,
  readSome,
  receiveDescriptor,
  setNonBlocking,
  setTerminalSize,
  SystemCallError,
  waitReadableAside,
  waitWritableAside,
  writeFrom,
} from "@hpk/core/ffi";
import { logProgram, PROGRAMS, removeIfExists, requireProgram } from "@hpk/core/os";
import { forwardSignals, signalChild } from "../shared/signals.ts";
import { FORWARDED } from "./container_end.ts";
import type { InputStream, OutputStream, Stream, Streams } from "../shared/pure/caller.ts";
import { writeBytes } from "../shared/streams.ts";

/** Bytes moved at a time. */
const CHUNK = 16 * 1024;

/** Interval at which the program's end is polled if it is not signalled otherwise, in ms. */
const POLL_MS = 100;

/**
 * Whether a stream of the caller is copied rather than passed to the container: one that programs
 * cannot inherit; a terminal, whose settings a program could change; or a file, whose owner the
 * runtime would change.
 */
export function mustBeCopied(stream: Stream): boolean {
  const { descriptor } = stream;
  return descriptor === undefined || stream.isTerminal() ||
    Deno.statSync(`/proc/self/fd/${descriptor}`).isFile;
}

/**
 * Runs a program with pipes in place of the caller's streams that must be copied.
 *
 * @param argv Its path and arguments.
 * @return Its exit status.
 */
export async function runWithCopies(
  streams: Streams,
  argv: readonly string[],
  interactive: boolean,
): Promise<number> {
  const choose = (stream: Stream): "piped" | "inherit" =>
    mustBeCopied(stream) ? "piped" : "inherit";
  const stdin = interactive ? choose(streams.stdin) : "null";
  const [stdout, stderr] = [choose(streams.stdout), choose(streams.stderr)];
  const child = spawnApart(argv, { stdin, stdout, stderr });
  using _signals = forwardTo(child);
  const copy = async (from: ReadableStream<Uint8Array>, to: OutputStream) => {
    for await (const chunk of from) {
      if (await writeBytes(to, chunk)) continue;
      // The reader is gone: what a program that writes to it would get.
      signalChild(child, "SIGPIPE");
      return;
    }
  };
  const copies = [
    ...(stdout === "piped" ? [copy(child.stdout, streams.stdout)] : []),
    ...(stderr === "piped" ? [copy(child.stderr, streams.stderr)] : []),
  ];
  // The command may end before it has read everything.
  if (stdin === "piped") feed(child, streams.stdin).catch(() => {});
  await Promise.all(copies);
  return (await child.status).code;
}

/** Copies the caller's input to a child, to its end. */
async function feed(child: Deno.ChildProcess, input: InputStream): Promise<void> {
  const writer = child.stdin.getWriter();
  const buffer = new Uint8Array(CHUNK);
  for (;;) {
    const count = await input.read(buffer).catch(() => null);
    if (count === null) return await writer.close();
    await writer.write(buffer.slice(0, count));
  }
}

/**
 * Runs a program with its own terminal, which it sends over a console socket (crun(1) and runc(8),
 * --console-socket), and copies between that and the caller's.
 *
 * @param argvWith Builds its path and arguments, including those for the console socket.
 * @param directory Directory for the socket.
 * @return Its exit status.
 */
export async function runOnTerminal(
  streams: Streams,
  argvWith: (options: readonly string[]) => readonly string[],
  directory: string,
  interactive: boolean,
): Promise<number> {
  const path = `${directory}/console-${Deno.pid}`;
  let child: Deno.ChildProcess;
  let master: FileDescriptor | undefined;
  {
    using listener = listenUnix(path);
    try {
      const argv = argvWith(["--console-socket", path]);
      child = spawnApart(argv, { stdin: "null", stdout: "null", stderr: "inherit" });
      master = await receiveTerminal(listener.fd, child);
    } finally {
      removeIfExists(path);
    }
  }
  if (master === undefined) return (await child.status).code;
  using terminal = master;
  using _signals = forwardTo(child);
  const { descriptor } = streams.stdin;
  using _raw = interactive && descriptor !== undefined ? new RawTerminal(descriptor) : undefined;
  setNonBlocking(terminal.fd);
  const resize = () => {
    const { rows, columns } = streams.terminalSize();
    setTerminalSize(terminal.fd, rows, columns);
  };
  resize();
  Deno.addSignalListener("SIGWINCH", resize);
  try {
    if (interactive) copyInput(streams.stdin, terminal.fd);
    await copyOutput(terminal.fd, streams.stdout, child.status);
    return (await child.status).code;
  } finally {
    Deno.removeSignalListener("SIGWINCH", resize);
  }
}

/** Receives the terminal that the program sends; undefined if it ends without sending one. */
async function receiveTerminal(
  listener: number,
  child: Deno.ChildProcess,
): Promise<FileDescriptor | undefined> {
  const isOver = watchEnd(child.status);
  for (;;) {
    const last = isOver();
    using connection = acceptUnix(listener);
    if (connection !== undefined) {
      await waitReadableAside([connection.fd]);
      return receiveDescriptor(connection.fd);
    }
    if (last) return undefined;
    await waitReadableAside([listener], POLL_MS);
  }
}

/** Copies until the terminal is closed, or the command has ended and everything is read. */
async function copyOutput(
  terminal: number,
  output: OutputStream,
  ended: Promise<unknown>,
): Promise<void> {
  const isOver = watchEnd(ended);
  const buffer = new Uint8Array(CHUNK);
  for (;;) {
    const last = isOver();
    const count = readTerminal(terminal, buffer);
    if (count === 0) return;
    if (count !== undefined) {
      if (!await writeBytes(output, buffer.subarray(0, count))) return;
    } else if (last) return;
    else await waitReadableAside([terminal], POLL_MS);
  }
}

/** Makes a function that reports whether a promise has settled. */
function watchEnd(ended: Promise<unknown>): () => boolean {
  let isOver = false;
  ended.then(() => isOver = true);
  return () => isOver;
}

/** Reads from a terminal's master side; 0 once the other side is closed, which is EIO. */
function readTerminal(terminal: number, buffer: Uint8Array<ArrayBuffer>): number | undefined {
  try {
    return readSome(terminal, buffer);
  } catch (error) {
    if (error instanceof SystemCallError) return 0;
    throw error;
  }
}

async function copyInput(input: InputStream, terminal: number): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (;;) {
    const count = await input.read(buffer).catch(() => null);
    if (count === null) return;
    let rest = buffer.subarray(0, count);
    while (rest.length > 0) {
      const written = writeFrom(terminal, rest);
      if (written > 0) rest = rest.subarray(written);
      else if (!await waitWritableAside(terminal)) return;
    }
  }
}

/** Starts a program in its own session: the terminal's signals reach it only through us. */
function spawnApart(
  argv: readonly string[],
  streams: Pick<Deno.CommandOptions, "stdin" | "stdout" | "stderr">,
): Deno.ChildProcess {
  const setsid = requireProgram(PROGRAMS.setsid);
  const words = ["--wait", ...argv];
  const child = new Deno.Command(setsid, { args: words, ...streams }).spawn();
  const ended = logProgram([setsid, ...words], child.pid);
  child.status.then(({ code }) => ended(code));
  return child;
}

/** Forwards signals to the program, which forwards them to the command. */
function forwardTo(child: Deno.ChildProcess): Disposable {
  return forwardSignals(FORWARDED, (signal) => signalChild(child, signal));
}
