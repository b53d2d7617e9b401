import type { Resource } from "@hpk/core";
import type { RepairedPart } from "../../shared/pure/event.ts";
import { formatBytes } from "../../shared/pure/units.ts";

/** What `gc --json` gives. The shape is stable: keys are only added. */
export interface GarbageReport {
  /** Version of this shape. */
  readonly version: 1;
  /** Whether nothing was done. */
  readonly dryRun: boolean;
  /** Containers that were, or with dryRun would be, cleaned up. */
  readonly reclaimed: readonly {
    /** The container's id. */
    readonly id: string;
    /** The container's name. */
    readonly name: string;
    /** What was removed. */
    readonly resources: readonly Resource[];
    /** What could not be removed, one message per item. */
    readonly errors: readonly string[];
  }[];
  /** Errors with what all containers share. */
  readonly errors: readonly string[];
  /** What was, or would be, removed from the store of images. */
  readonly images: readonly {
    /** Where it was. */
    readonly path: string;
    /** Its size in bytes. */
    readonly bytes: number;
  }[];
  /** Bridges without a container that were, or would be, removed with what belongs to them. */
  readonly unused: readonly string[];
  /** What running containers need and had to be repaired. */
  readonly repaired: readonly RepairedPart[];
}

/** Whether something could not be removed. */
export function hasErrors(report: GarbageReport): boolean {
  return report.errors.length > 0 || report.reclaimed.some(({ errors }) => errors.length > 0);
}

/** Reports what was cleaned up, as text. */
export function formatGarbage(report: GarbageReport): string {
  const verb = report.dryRun ? "would clean up" : "cleaned up";
  const { reclaimed, errors, images, unused, repaired } = report;
  if ([reclaimed, errors, images, unused, repaired].every(({ length }) => length === 0)) {
    return "nothing to clean up\n";
  }
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  return [
    ...reclaimed.flatMap(({ name, resources, errors }) => [
      `${verb} ${name}: ${resources.map(describe).join(", ")}`,
      ...errors.map((error) => `  failed: ${error}`),
    ]),
    ...unused.map((bridge) => `${verb} the bridge ${bridge}, which no container uses`),
    ...errors.map((error) => `failed: ${error}`),
    ...(images.length === 0 ? [] : [
      `${report.dryRun ? "would remove" : "removed"} what no image needs: ${formatBytes(bytes)}`,
    ]),
    ...repaired.map((part) => `repaired: ${part}`),
  ].map((line) => `${line}\n`).join("");
}

function describe(resource: Resource): string {
  switch (resource.kind) {
    case "lease":
      return `lease of ${resource.id}`;
    case "relay":
      return `session ${resource.id} of hpk-net-daemon`;
    case "directory":
      return resource.path;
    case "cgroup":
      return `control group ${resource.name}`;
    case "container":
      return `container ${resource.id} of ${resource.runtime}`;
    default:
      return `${resource.kind} ${resource.name}`;
  }
}
