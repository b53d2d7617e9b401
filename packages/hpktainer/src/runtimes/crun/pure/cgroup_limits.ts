import type { Limits } from "../../../containers/pure/limits.ts";

/** The layout of a host's control groups (cgroups(7)). */
export interface CgroupFacts {
  /** One hierarchy, one per controller, or none usable. */
  readonly mode: "v2" | "v1" | "none";
  /** Names of the usable controllers, such as "memory". */
  readonly controllers: readonly string[];
  /** Mount point of a v2 hierarchy next to those of v1 ("hybrid"); undefined if there is none. */
  readonly second: string | undefined;
}

/** Limits in the form of the OCI specification, and those that cannot be set. */
export interface CgroupPlan {
  /** linux.resources (config-linux.md, Control groups). */
  readonly resources: Readonly<Record<string, unknown>>;
  /** Options that cannot be set, each with the reason. */
  readonly unset: readonly string[];
}

/**
 * Length of the scheduling period that --cpus refers to, in microseconds (cgroup-v2.rst, cpu.max).
 */
const CPU_PERIOD = 100_000;

/** Controllers by option. */
const CONTROLLERS = {
  memory: "memory",
  cpus: "cpu",
  cpuShares: "cpu",
  cpuset: "cpuset",
  pids: "pids",
} as const;

/** Options by limit. */
const OPTIONS = {
  memory: "-m",
  memorySwap: "--memory-swap",
  cpus: "--cpus",
  cpuShares: "--cpu-shares",
  cpuset: "--cpuset-cpus",
  pids: "--pids-limit",
} as const;

/**
 * Converts limits to those of a control group. Limits that the host cannot set are reported, not
 * dropped silently.
 */
export function planLimits(limits: Limits, facts: CgroupFacts): CgroupPlan {
  const unset: string[] = [];
  const take = (name: keyof typeof CONTROLLERS): boolean => {
    if (limits[name] === undefined) return false;
    const controller = CONTROLLERS[name];
    if (facts.controllers.includes(controller)) return true;
    unset.push(
      `${OPTIONS[name]} is not set: ` +
        (facts.mode === "none"
          ? "control groups cannot be created on this host"
          : `this host has no controller '${controller}'`),
    );
    return false;
  };
  const hasMemory = take("memory");
  const cpu = {
    ...(take("cpus") ? { period: CPU_PERIOD, quota: Math.round(limits.cpus! * CPU_PERIOD) } : {}),
    ...(take("cpuShares") ? { shares: limits.cpuShares } : {}),
    ...(take("cpuset") ? { cpus: limits.cpuset } : {}),
  };
  const memory = {
    ...(hasMemory ? { limit: limits.memory } : {}),
    ...(hasMemory && limits.memorySwap !== undefined ? { swap: limits.memorySwap } : {}),
  };
  return {
    resources: {
      ...(Object.keys(memory).length === 0 ? {} : { memory }),
      ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
      ...(take("pids") ? { pids: { limit: limits.pids } } : {}),
    },
    unset,
  };
}

/**
 * Whether a container's access to devices can be restricted: by a controller, or with v2 by a BPF
 * program, for which crun needs locked memory.
 *
 * @param own The capabilities of this process.
 */
export function restrictsDevices(facts: CgroupFacts, own: readonly string[]): boolean {
  return facts.mode === "v2"
    ? own.includes("CAP_SYS_RESOURCE")
    : facts.controllers.includes("devices");
}

/**
 * Reads the layout of control groups.
 *
 * @param mountInfo Contents of /proc/self/mountinfo (proc_pid_mountinfo(5)).
 * @param isThere Returns whether a control group is at a path: something may be mounted over it.
 * @param v2Controllers Contents of cgroup.controllers at the root of the v2 hierarchy; empty
 * without one.
 */
export function readCgroups(
  mountInfo: string,
  isThere: (path: string) => boolean,
  v2Controllers: string,
): CgroupFacts {
  const lines = mountInfo.split("\n").flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [, , , , path = "", options = ""] = left.split(" ");
    const [type = "", , superOptions = ""] = right.split(" ");
    if (!type.startsWith("cgroup") || !path.startsWith(CGROUP_ROOT) || !isThere(path)) return [];
    return [{ type, path, writable: options.split(",").includes("rw"), superOptions }];
  });
  // The last of several mounts at a path is on top.
  const mounts = [...new Map(lines.map((mount) => [mount.path, mount])).values()];
  const trees = mounts.filter(({ type }) => type === "cgroup2");
  const single = trees.find(({ path }) => path === CGROUP_ROOT);
  if (single !== undefined) {
    const controllers = v2Controllers.trim().split(/\s+/).filter((name) => name !== "");
    return single.writable
      ? { mode: "v2", controllers, second: undefined }
      : { mode: "none", controllers: [], second: undefined };
  }
  const usable = mounts.filter(({ type, writable }) => type === "cgroup" && writable)
    .flatMap(({ superOptions }) => superOptions.split(","))
    .filter((name) => V1_CONTROLLERS.includes(name));
  return {
    mode: usable.length === 0 ? "none" : "v1",
    controllers: [...new Set(usable)].sort(),
    second: trees[0]?.path,
  };
}

/** Where control groups are mounted (cgroups(7)). */
export const CGROUP_ROOT = "/sys/fs/cgroup";

/** Controllers of v1 that have limits here (cgroups(7)). */
const V1_CONTROLLERS = ["cpu", "cpuset", "devices", "memory", "pids"];
