import { type Caller } from "../shared/pure/caller.ts";
import { HpkError } from "@hpk/core";
import { drain, openProcess, waitReadableAside, watchFile } from "@hpk/core/ffi";
import { type LogEntry, type LogSelection, parseLogLine, selectEntries } from "./pure/log_lines.ts";
import { engineNamed } from "./engines/table.ts";
import { LineReader } from "../shared/line_reader.ts";
import { pathsOf } from "./paths.ts";
import { findStoredContainer, requireRootForContainers } from "./store.ts";

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
  yield* selectEntries(entriesOf(reader), selection);
  if (!follow) return;
  const engine = await engineNamed(container.runtime);
  using watch = watchFile(path);
  for (;;) {
    const supervisor = engine.supervisor(container.id);
    drain(watch);
    // A supervisor writes everything before it ends.
    yield* selectEntries(entriesOf(reader), { ...selection, tail: undefined });
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

/** The entries since the last call. */
function entriesOf(reader: LineReader): LogEntry[] {
  return reader.read().flatMap((line) => parseLogLine(line) ?? []);
}
