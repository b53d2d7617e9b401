import { type Caller } from "../shared/pure/caller.ts";
import { HpkError } from "@hpk/core";
import { drain, openProcess, waitReadableAside, watchFile } from "@hpk/core/ffi";
import { type LogEntry, type LogSelection, parseLogLine, selectEntries } from "./pure/log_lines.ts";
import { engineNamed } from "./engines/table.ts";
import { pathsOf } from "./paths.ts";
import { findStoredContainer, requireRootForContainers } from "./store.ts";

/** Bytes read at a time. */
const CHUNK = 64 * 1024;

/**
 * Reads what a container has written.
 *
 * @param follow Whether to wait for more until the container ends.
 * @throws {HpkError} When the container does not exist, or its output was not kept.
 */
export async function* readLogs(
  caller: Caller,
  wanted: string,
  selection: LogSelection,
  follow: boolean,
): AsyncGenerator<LogEntry> {
  requireRootForContainers(caller);
  const { container, status } = findStoredContainer(wanted);
  const path = pathsOf(container.id).log;
  using log = openLog(path);
  if (log === undefined) {
    if (status === "created") return;
    throw new HpkError({
      what: `cannot show the output of '${wanted}'`,
      why: "it ran in the foreground, so its output was not kept",
      fix: "run it with -d",
    });
  }
  const reader = new LineReader(log);
  yield* selectEntries(reader.entries(), selection);
  if (!follow) return;
  const engine = await engineNamed(container.runtime);
  using watch = watchFile(path);
  for (;;) {
    const supervisor = engine.supervisor(container.id);
    drain(watch);
    // A supervisor writes everything before it ends.
    yield* selectEntries(reader.entries(), { ...selection, tail: undefined });
    if (supervisor === undefined) return;
    using ended = openProcess(supervisor.pid);
    if (ended !== undefined) await waitReadableAside([watch.fd, ended.fd]);
  }
}

function openLog(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Reads complete lines of a growing file. */
class LineReader {
  readonly #file: Deno.FsFile;
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(CHUNK);
  #rest = "";

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** The entries since the last call. */
  entries(): LogEntry[] {
    let text = this.#rest;
    for (;;) {
      const count = this.#file.readSync(this.#buffer);
      if (count === null || count === 0) break;
      text += this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true });
    }
    const lines = text.split("\n");
    this.#rest = lines.pop()!;
    return lines.flatMap((line) => parseLogLine(line) ?? []);
  }
}
