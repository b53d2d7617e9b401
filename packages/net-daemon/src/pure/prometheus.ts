import type { RelayStatus } from "@hpk/core";
import { type CounterName, COUNTERS } from "./counters.ts";

/** Counters that go up and down. */
const GAUGES: readonly CounterName[] = ["connected", "offload"];

/**
 * Metrics in Prometheus's text format (prometheus.io/docs/instrumenting/exposition_formats, 0.0.4).
 */
export function formatMetrics(status: RelayStatus): string {
  const lines = [
    ...metric("uptime_seconds", "gauge", [["", status.uptime]]),
    ...metric("resident_memory_bytes", "gauge", [["", status.memoryBytes]]),
    ...metric("relay_heap_bytes", "gauge", [["", status.relayHeapBytes]]),
    ...metric("sessions", "gauge", [["", status.sessions.length]]),
    ...metric(
      "session_uptime_seconds",
      "gauge",
      status.sessions.map(({ id, uptime }) => [labels(id), uptime]),
    ),
  ];
  for (const name of COUNTERS) {
    const isGauge = GAUGES.includes(name);
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    lines.push(
      ...metric(
        `session_${snake}${isGauge ? "" : "_total"}`,
        isGauge ? "gauge" : "counter",
        status.sessions.map(({ id, counters }) => [labels(id), counters[name]!]),
      ),
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** An id contains no character that needs escaping in a label (relay_control.ts). */
function labels(id: string): string {
  return `{session="${id}"}`;
}

function metric(
  name: string,
  type: "gauge" | "counter",
  values: readonly (readonly [labels: string, value: number])[],
): string[] {
  return [
    `# TYPE hpk_net_${name} ${type}`,
    ...values.map(([label, value]) => `hpk_net_${name}${label} ${value}`),
  ];
}
