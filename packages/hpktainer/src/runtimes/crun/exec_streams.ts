/** Runs crun with streams that are copied from and to ours. */

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
import { PROGRAMS, removeIfExists, requireProgram } from "@hpk/core/os";
import { FORWARDED } from "../../containers/container_end.ts";
import { writeAll } from "./streams.ts";
import { crunPath } from "../../containers/engines/crun.ts";

/** Standard input. */
const STDIN = 0;

/** Bytes moved at a time. */
const CHUNK = 16 * 1024;

/** How often it is looked whether crun has ended, in ms, where nothing else tells. */
const POLL_MS = 100;

/**
 * Whether a stream of ours is not given to a container itself: a terminal, of which a program could
 * change the settings; or a file, of which crun would change the owner.
 */
export function mustBeCopied(fd: number): boolean {
  const terminal = [Deno.stdin, Deno.stdout, Deno.stderr][fd]!.isTerminal();
  return terminal || Deno.statSync(`/proc/self/fd/${fd}`).isFile;
}

/**
 * Runs crun with pipes in place of those of our streams that are not given away.
 *
 * @return Its exit status.
 */
export async function runWithCopies(
  args: readonly string[],
  interactive: boolean,
): Promise<number> {
  const choose = (fd: number) => mustBeCopied(fd) ? "piped" : "inherit";
  const input = interactive ? choose(0) : "null";
  const child = spawnApart(args, { stdin: input, stdout: choose(1), stderr: choose(2) });
  using _signals = forwardTo(child);
  const open = { preventClose: true };
  const copies = [
    ...(choose(1) === "piped" ? [child.stdout.pipeTo(Deno.stdout.writable, open)] : []),
    ...(choose(2) === "piped" ? [child.stderr.pipeTo(Deno.stderr.writable, open)] : []),
  ].map((copy) =>
    copy.catch(() => {
      // Whoever reads is gone: what a program of theirs would get.
      send(child, "SIGPIPE");
    })
  );
  // The command may end before it has read all.
  if (input === "piped") Deno.stdin.readable.pipeTo(child.stdin).catch(() => {});
  await Promise.all(copies);
  return (await child.status).code;
}

/**
 * Runs crun with a terminal of its own, which it sends over a console socket (crun(1),
 * --console-socket), and copies between that and ours.
 *
 * @param argsWith crun's arguments, with those for the console socket.
 * @param directory Where the socket can be.
 * @return Its exit status.
 */
export async function runOnTerminal(
  argsWith: (options: readonly string[]) => readonly string[],
  directory: string,
  interactive: boolean,
): Promise<number> {
  const path = `${directory}/console-${Deno.pid}`;
  let child: Deno.ChildProcess;
  let master: FileDescriptor | undefined;
  {
    using listener = listenUnix(path);
    try {
      const args = argsWith(["--console-socket", path]);
      child = spawnApart(args, { stdin: "null", stdout: "null", stderr: "inherit" });
      master = await receiveTerminal(listener.fd, child);
    } finally {
      removeIfExists(path);
    }
  }
  if (master === undefined) return (await child.status).code;
  using terminal = master;
  using _signals = forwardTo(child);
  using _raw = interactive ? new RawTerminal(STDIN) : undefined;
  setNonBlocking(terminal.fd);
  const resize = () => {
    const { rows, columns } = Deno.consoleSize();
    setTerminalSize(terminal.fd, rows, columns);
  };
  resize();
  Deno.addSignalListener("SIGWINCH", resize);
  try {
    if (interactive) copyInput(terminal.fd);
    await copyOutput(terminal.fd, child.status);
    return (await child.status).code;
  } finally {
    Deno.removeSignalListener("SIGWINCH", resize);
  }
}

/** Takes the terminal that crun sends; undefined where crun ends without. */
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

/** Copies until nobody has the terminal any more, or the command has ended and all is read. */
async function copyOutput(terminal: number, ended: Promise<unknown>): Promise<void> {
  const isOver = watchEnd(ended);
  const buffer = new Uint8Array(CHUNK);
  for (;;) {
    const last = isOver();
    const count = readTerminal(terminal, buffer);
    if (count === 0) return;
    if (count !== undefined) {
      if (!await writeAll(Deno.stdout, buffer.subarray(0, count))) return;
    } else if (last) return;
    else await waitReadableAside([terminal], POLL_MS);
  }
}

/** Tells, whenever it is asked, whether something has ended. */
function watchEnd(ended: Promise<unknown>): () => boolean {
  let isOver = false;
  ended.then(() => isOver = true);
  return () => isOver;
}

/** Reads from a terminal's driving end; 0 when nobody has the terminal any more, which is EIO. */
function readTerminal(terminal: number, buffer: Uint8Array<ArrayBuffer>): number | undefined {
  try {
    return readSome(terminal, buffer);
  } catch (error) {
    if (error instanceof SystemCallError) return 0;
    throw error;
  }
}

async function copyInput(terminal: number): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (;;) {
    const count = await Deno.stdin.read(buffer).catch(() => null);
    if (count === null) return;
    let rest = buffer.subarray(0, count);
    while (rest.length > 0) {
      const written = writeFrom(terminal, rest);
      if (written > 0) rest = rest.subarray(written);
      else if (!await waitWritableAside(terminal)) return;
    }
  }
}

/** Starts crun in a session of its own: a key of the terminal reaches it through us only. */
function spawnApart(
  args: readonly string[],
  streams: Pick<Deno.CommandOptions, "stdin" | "stdout" | "stderr">,
): Deno.ChildProcess {
  return new Deno.Command(requireProgram(PROGRAMS.setsid), {
    args: ["--wait", crunPath(), ...args],
    ...streams,
  }).spawn();
}

/** Hands signals on to crun, which hands them on to the command. */
function forwardTo(child: Deno.ChildProcess): Disposable {
  const handlers = FORWARDED.map((signal) => ({ signal, handle: () => send(child, signal) }));
  for (const { signal, handle } of handlers) Deno.addSignalListener(signal, handle);
  return {
    [Symbol.dispose]: () => {
      for (const { signal, handle } of handlers) Deno.removeSignalListener(signal, handle);
    },
  };
}

function send(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended in this moment, and its status is on the way.
  }
}
