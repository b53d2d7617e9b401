/**
 * The log files. They stay after the last container; their size is bounded, and nothing depends on
 * them.
 */

import type { BoundedLog } from "@hpk/core/os";

/** Their directory (file-hierarchy(7), /var/log), which survives a reboot. */
const LOG_DIRECTORY = "/var/log/hpktainer";

/**
 * Events of containers and of what they share, one line of JSON each. Readable by all, like `ps`.
 */
export const EVENT_LOG: BoundedLog = {
  directory: LOG_DIRECTORY,
  name: "events.jsonl",
  mode: 0o644,
  // About 4,000 starts and ends of containers.
  limit: 4 * 1024 * 1024,
};

/** The monitor's log, if there is no journal. */
export const MONITOR_LOG: BoundedLog = {
  directory: LOG_DIRECTORY,
  name: "monitor.log",
  mode: 0o600,
  limit: 1024 * 1024,
};

/** The journal's socket for programs (systemd-journald.service(8)). */
export const JOURNAL_SOCKET = "/run/systemd/journal/stdout";

/** Identifier of the monitor's lines in the journal (`journalctl -t hpktainer`). */
export const JOURNAL_IDENTIFIER = "hpktainer";
