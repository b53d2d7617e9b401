/** The control group hierarchies that a host has mounted: cgroups(7). */

/** A mounted hierarchy. */
export interface CgroupMount {
  /** Where it is mounted, such as "/sys/fs/cgroup/memory" or "/sys/fs/cgroup". */
  readonly path: string;
  readonly version: 1 | 2;
  /**
   * Whether its groups need CPUs and memory nodes before a process can join (cpuset, version 1).
   */
  readonly hasCpuset: boolean;
}

/**
 * Finds the hierarchies in a process's mountinfo (proc_pid_mountinfo(5)): all of version 1,
 * including named ones, and that of version 2. If one is mounted twice, the last counts, since its
 * path shows it.
 */
export function parseCgroupMounts(mountinfo: string): CgroupMount[] {
  const mounts = new Map<string, CgroupMount>();
  for (const line of mountinfo.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const path = unescape(left.split(" ")[4] ?? "");
    const [type, , options = ""] = right.split(" ");
    if (path === "" || (type !== "cgroup" && type !== "cgroup2")) continue;
    mounts.delete(path);
    mounts.set(path, {
      path,
      version: type === "cgroup" ? 1 : 2,
      hasCpuset: type === "cgroup" && options.split(",").includes("cpuset"),
    });
  }
  return [...mounts.values()];
}

/** Spaces and the like are escaped in octal. */
function unescape(path: string): string {
  return path.replaceAll(
    /\\([0-7]{3})/g,
    (_, digits: string) => String.fromCharCode(parseInt(digits, 8)),
  );
}
