import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COUNTERS, readCounters } from "./counters.ts";
import { formatMetrics } from "./prometheus.ts";
import { formatStatus } from "./status_text.ts";

const STATUS = {
  version: 1,
  pid: 7,
  uptime: 61.5,
  memoryBytes: 64 * 2 ** 20,
  relayHeapBytes: 5,
  sessions: [{
    id: "web",
    datapath: "tap",
    hostTap: "hpkweb",
    uptime: 3,
    counters: readCounters(new Float64Array(COUNTERS.map((_, index) => index + 1))),
  }],
} as const;

Deno.test("metrics are in Prometheus's text format, every counter once a session", () => {
  const text = formatMetrics(STATUS);
  assertStringIncludes(text, "# TYPE hpk_net_session_tx_frames_total counter\n");
  assertStringIncludes(text, 'hpk_net_session_tx_frames_total{session="web"} 1\n');
  assertStringIncludes(text, 'hpk_net_session_connected{session="web"} 14\n');
  assertStringIncludes(text, "hpk_net_sessions 1\n");
  for (const line of text.trimEnd().split("\n")) {
    assertMatch(
      line,
      /^(# TYPE hpk_net_\w+ (gauge|counter)|hpk_net_\w+(\{session="web"\})? [\d.]+)$/,
    );
  }
  assertEquals(text.match(/\{session="web"\}/g)?.length, COUNTERS.length + 1);
});

Deno.test("the text status sums up the dropped frames", () => {
  const [head, titles, row] = formatStatus(STATUS).split("\n");
  assertEquals(head, "hpk-net-daemon: pid 7, up 1m, 64 MB, 1 session");
  const cells = (line: string | undefined) => line!.split(/ {2,}/);
  assertEquals(
    cells(titles),
    ["SESSION", "DATAPATH", "TAP", "UP", "STATE", "FRAMES OUT", "FRAMES IN", "DROPPED"],
  );
  assertEquals(cells(row), ["web", "tap", "hpkweb", "3s", "connected", "1", "3", "35"]);
});
