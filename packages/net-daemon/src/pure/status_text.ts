import type { RelayStatus } from "@hpk/core";

/** The daemon's status as text: a line about the daemon, then a table of sessions. */
export function formatStatus(status: RelayStatus): string {
  const memory = (status.memoryBytes / 2 ** 20).toFixed(0);
  const head = `hpk-net-daemon: pid ${status.pid}, up ${duration(status.uptime)}, ` +
    `${memory} MB, ${status.sessions.length} session${status.sessions.length === 1 ? "" : "s"}\n`;
  if (status.sessions.length === 0) return head;
  const rows = [
    ["SESSION", "DATAPATH", "TAP", "UP", "STATE", "FRAMES OUT", "FRAMES IN", "DROPPED"],
    ...status.sessions.map(({ id, datapath, hostTap, uptime, counters }) => [
      id,
      datapath,
      hostTap,
      duration(uptime),
      (counters["connected"] ?? 0) === 0 ? "waiting" : "connected",
      String(counters["txFrames"] ?? 0),
      String(counters["rxFrames"] ?? 0),
      String(
        Object.entries(counters).filter(([name]) => name.startsWith("dropped"))
          .reduce((sum, [, count]) => sum + count, 0),
      ),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return head +
    rows.map((row) =>
      row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd() + "\n"
    ).join("");
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return `${Math.floor(seconds / 3600)}h`;
}
