import { type ContainerRecord, formatPublish, formatSpan, type PublishedPort } from "@hpk/core";
import { formatTable } from "../../shared/pure/text_table.ts";

/** A published port as `port ls --json` gives it. The shape is stable: keys are only added. */
export interface PortView extends PublishedPort {
  /** Name of the container that it is forwarded to. */
  readonly container: string;
  /** The container's id. */
  readonly id: string;
  /** The container's IPv4 address; null until it is allocated. */
  readonly address: string | null;
}

/** Makes the views of a container's published ports. */
export function portViewsOf(record: ContainerRecord): PortView[] {
  const { name: container, id, address } = record;
  return record.ports.map((port) => ({ container, id, address, ...port }));
}

/** Formats published ports as a table. */
export function formatPorts(views: readonly PortView[]): string {
  return formatTable([
    ["CONTAINER", "HOST", "PORT", "PROTOCOL", "FORWARDED TO"],
    ...views.map((
      { container, hostAddress, hostPort, containerPort, count, protocol, address },
    ) => [
      container,
      hostAddress ?? "*",
      formatSpan(hostPort, count),
      protocol,
      `${address ?? "-"}:${formatSpan(containerPort, count)}`,
    ]),
  ]);
}

/** Published ports on one line, in the syntax of --publish. */
export function describePorts(ports: readonly PublishedPort[]): string {
  return ports.map(formatPublish).join(", ") || "-";
}
