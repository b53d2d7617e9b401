/** The parts of the OCI runtime specification (config.md, config-linux.md) that we write. */

import type { SeccompProfile } from "./seccomp.ts";

/** A mount, config.md "Mounts". */
export interface SpecMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** A command in a container, config.md "Process". */
export interface SpecProcess {
  readonly terminal: boolean;
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids: readonly number[];
  };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: Readonly<
    Record<"bounding" | "effective" | "permitted", readonly string[]>
  >;
  readonly rlimits: readonly {
    readonly type: string;
    readonly soft: number;
    readonly hard: number;
  }[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj?: number;
}

/** A device node, config-linux.md "Devices". */
export interface SpecDevice {
  readonly path: string;
  /** "c" or "b". */
  readonly type: string;
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
  /**
   * Permitted access, some of "rwm". Not part of the specification's device, but of its cgroup
   * rule.
   */
  readonly access: string;
}

/** A container, config.md. */
export interface OciSpec {
  readonly ociVersion: string;
  readonly process: SpecProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly SpecMount[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
    readonly devices: readonly Omit<SpecDevice, "access">[];
    readonly resources: Readonly<Record<string, unknown>>;
    readonly cgroupsPath: string;
    readonly sysctl: Readonly<Record<string, string>>;
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
    readonly seccomp?: SeccompProfile | Readonly<Record<string, unknown>>;
  };
}

/** RLIM_INFINITY (sys/resource.h, 2^64 - 1), which a double cannot hold. */
const UNLIMITED = "18446744073709551615";
const UNLIMITED_MARK = "unlimited-\u0000";

/**
 * A specification, or a part of one, as JSON. A soft or hard limit of -1 becomes RLIM_INFINITY.
 */
export function specText(value: OciSpec | SpecProcess): string {
  const text = JSON.stringify(
    value,
    (key, item) => (key === "soft" || key === "hard") && item === -1 ? UNLIMITED_MARK : item,
  );
  return text.replaceAll(JSON.stringify(UNLIMITED_MARK), UNLIMITED);
}
