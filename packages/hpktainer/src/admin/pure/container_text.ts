/** Containers as text; in a file apart from their JSON, which does not need the table code. */

import { type BootReport, formatHostDifference } from "@hpk/core";
import { describePorts } from "../../ports/pure/port_view.ts";
import { formatTable } from "../../shared/pure/text_table.ts";
import type { ContainerView } from "./container_view.ts";

/** Lists containers for a person. */
export function formatContainers(views: readonly ContainerView[]): string {
  return formatTable([
    ["NAME", "ADDRESS", "STATE", "KIND", "PID", "CREATED", "PORTS", "IMAGE"],
    ...views.map((view) => [
      view.name,
      view.address ?? "-",
      view.state,
      view.kind,
      String(view.pid),
      view.created.replace(/\.[0-9]+Z$/, "Z"),
      describePorts(view.ports),
      view.image,
    ]),
  ]);
}

/** Shows one container for a person: a line for each property. */
export function formatContainer(view: ContainerView): string {
  return formatTable(
    Object.entries({ ...view, ports: describePorts(view.ports) }).map(([key, value]) => [
      key,
      key === "boot"
        ? bootText(view.boot)
        : Array.isArray(value)
        ? value.join("; ") || "-"
        : String(value ?? "-"),
    ]),
  );
}

function bootText(boot: BootReport | null): string {
  if (boot === null) return "-";
  return [
    boot.state,
    ...boot.failedUnits.map((unit) => `failed: ${unit}`),
    ...boot.differences.map(formatHostDifference),
  ].join("; ");
}
