import type { Security } from "../../../containers/pure/security.ts";

/**
 * Default capabilities of root in a container, as with Docker (docker-run(1), "Runtime privilege
 * and Linux capabilities").
 */
const DEFAULT_CAPABILITIES: readonly string[] = [
  "CAP_AUDIT_WRITE",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SETFCAP",
  "CAP_SETGID",
  "CAP_SETPCAP",
  "CAP_SETUID",
  "CAP_SYS_CHROOT",
];

/** The capabilities that a container gets. */
export interface CapabilityPlan {
  /** Sorted. */
  readonly granted: readonly string[];
  /** Those requested by name that we do not have ourselves. */
  readonly lacking: readonly string[];
}

/**
 * Computes a container's capabilities: drops are applied first, then additions.
 *
 * @param own Those that this process can pass on.
 */
export function planCapabilities(security: Security, own: readonly string[]): CapabilityPlan {
  const { privileged, addedCapabilities: added, droppedCapabilities: dropped } = security;
  const base = privileged || added.includes("ALL") ? own : DEFAULT_CAPABILITIES;
  const kept = dropped.includes("ALL") ? [] : base.filter((name) => !dropped.includes(name));
  const named = added.filter((name) => name !== "ALL");
  // "--cap-drop ALL --cap-add ALL" means all: additions are applied last.
  const wanted = new Set([
    ...kept,
    ...(dropped.includes("ALL") && added.includes("ALL") ? own : []),
    ...named,
  ]);
  return {
    granted: [...wanted].filter((name) => own.includes(name)).sort(),
    lacking: named.filter((name) => !own.includes(name)),
  };
}
