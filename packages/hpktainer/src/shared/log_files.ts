/**
 * Files of what has happened. They are for people and stay after the last container, as logs do; each is
 * bounded, and nothing depends on them.
 */

import type { BoundedLog } from "@hpk/core/os";

/** Where they lie (file-hierarchy(7), /var/log): it is there after a reboot, and known to whoever looks. */
const LOG_DIRECTORY = "/var/log/hpktainer";

/** What has happened to containers and to what they share, a line of JSON each. Anyone may read it, as `ps`. */
export const EVENT_LOG: BoundedLog = {
  directory: LOG_DIRECTORY,
  name: "events.jsonl",
  mode: 0o644,
  // Some 4,000 lives of containers.
  limit: 4 * 1024 * 1024,
};

/** The monitor's log, where there is no journal. */
export const MONITOR_LOG: BoundedLog = {
  directory: LOG_DIRECTORY,
  name: "monitor.log",
  mode: 0o600,
  limit: 1024 * 1024,
};

/** Where programs connect to the journal (systemd-journald.service(8)). */
export const JOURNAL_SOCKET = "/run/systemd/journal/stdout";

/** The name under which the monitor's lines are in the journal (`journalctl -t hpktainer`). */
export const JOURNAL_IDENTIFIER = "hpktainer";
