import type { Limits } from "../../../containers/pure/limits.ts";

/** How a host's control groups are laid out (cgroups(7)). */
export interface CgroupFacts {
  /** One tree, one a controller, or none that can be used. */
  readonly mode: "v2" | "v1" | "none";
  /** Names of the controllers that can be used, such as "memory". */
  readonly controllers: readonly string[];
  /** Where a tree of v2 is mounted beside those of v1, "hybrid"; undefined where it is not. */
  readonly second: string | undefined;
}

/** Limits as the OCI specification has them, and what is not among them. */
export interface CgroupPlan {
  /** linux.resources (config-linux.md, Control groups). */
  readonly resources: Readonly<Record<string, unknown>>;
  /** Options that cannot be set, each with the reason. */
  readonly unset: readonly string[];
}

/** Length of the period that --cpus is a share of, in microseconds (cgroup-v2.rst, cpu.max). */
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
 * Turns limits into those of a control group. Those that the host cannot set are told, not left out
 * in silence.
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
          ? "no control group can be made on this host"
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
 * Whether the devices that a container may use can be restricted: by a controller, or with v2 by a
 * program for the kernel, which crun locks memory for.
 *
 * @param own The capabilities of this process.
 */
export function restrictsDevices(facts: CgroupFacts, own: readonly string[]): boolean {
  return facts.mode === "v2"
    ? own.includes("CAP_SYS_RESOURCE")
    : facts.controllers.includes("devices");
}

/**
 * Reads how control groups are laid out.
 *
 * @param mountInfo Contents of /proc/self/mountinfo (proc_pid_mountinfo(5)).
 * @param isThere Whether there is a control group at a path: something may be mounted over it.
 * @param v2Controllers Contents of cgroup.controllers at the root of the v2 tree; empty where none.
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
  // Of several mounts at a path the last is on top.
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

/** Controllers of v1 that limits are for (cgroups(7)). */
const V1_CONTROLLERS = ["cpu", "cpuset", "devices", "memory", "pids"];
