import { Ledger, olderPart, readFileIfExists } from "@hpk/core/os";
import { hasMonitor } from "../attach/monitor_start.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { JOURNAL_IDENTIFIER, MONITOR_LOG } from "../shared/log_files.ts";
import { printable } from "../shared/pure/printable.ts";
import type { Check } from "./pure/doctor_report.ts";

/** Whether the host's monitor runs, where there is something to watch; else its last log line. */
export async function checkMonitor({ uid }: Pick<Caller, "uid">): Promise<Check> {
  const id = "monitor";
  if (uid !== 0) {
    return { id, status: "warn", found: "not checked", fix: "run doctor as root" };
  }
  const ledger = new Ledger();
  // Under the ledger's lock, as a start would mistake our lock for a monitor's.
  const state = await ledger.withExisting(() => ({
    isWanted: !ledger.isEmpty() || ledger.readHost() !== undefined,
    runs: hasMonitor(ledger),
  }));
  if (state === undefined || (!state.isWanted && !state.runs)) {
    return { id, status: "ok", found: "started with the first container", fix: "" };
  }
  if (state.runs) return { id, status: "ok", found: "runs", fix: "" };
  const last = lastLine();
  return {
    id,
    status: "warn",
    found: "does not run, though containers exist: it has crashed or was killed" +
      (last === undefined ? "" : `; its last line: ${last}`),
    fix:
      `run 'hpktainer gc', which starts it again; see ${MONITOR_LOG.directory}/${MONITOR_LOG.name}` +
      ` or 'journalctl -t ${JOURNAL_IDENTIFIER}'`,
  };
}

/** The last line of its log; undefined where it is in the journal. */
function lastLine(): string | undefined {
  const current = `${MONITOR_LOG.directory}/${MONITOR_LOG.name}`;
  const text = readFileIfExists(current) || readFileIfExists(olderPart(MONITOR_LOG)) || "";
  const line = text.trimEnd().split("\n").at(-1);
  return line === undefined || line === "" ? undefined : printable(line);
}
