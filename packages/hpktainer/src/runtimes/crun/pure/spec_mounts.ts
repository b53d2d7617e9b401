import type { SpecMount } from "./oci_spec.ts";

/** What a container's default file systems depend on. */
export interface OwnMounts {
  /** Size of /dev/shm in bytes. */
  readonly sharedMemory: number;
  /** Nothing is masked, and /sys can be written. */
  readonly privileged: boolean;
  /** Whether there are control groups to show. */
  readonly hasCgroups: boolean;
  /** Whether it uses the host's message queues and shared memory. */
  readonly hostIpc: boolean;
}

/**
 * The file systems that every container has (runtime-spec, config-linux.md "Default Filesystems").
 */
export function ownMounts(own: OwnMounts): SpecMount[] {
  const access = own.privileged ? "rw" : "ro";
  const safe = ["nosuid", "noexec", "nodev"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: safe },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      // Group 5 is tty in every distribution.
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    { destination: "/sys", type: "sysfs", source: "sysfs", options: [...safe, access] },
    ...(own.hasCgroups
      ? [{
        destination: "/sys/fs/cgroup",
        type: "cgroup",
        source: "cgroup",
        options: [...safe, "relatime", access],
      }]
      : []),
    ...(own.hostIpc ? ["/dev/mqueue", "/dev/shm"].map((path) => bindMount(path, path, false)) : [
      { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: safe },
      {
        destination: "/dev/shm",
        type: "tmpfs",
        source: "shm",
        options: [...safe, "mode=1777", `size=${own.sharedMemory}`],
      },
    ]),
  ];
}

/** A bind mount of a host file or directory. */
export function bindMount(
  source: string,
  destination: string,
  readOnly: boolean,
  options: readonly string[] = [],
): SpecMount {
  const propagation = options.length === 0 ? ["rprivate"] : options;
  return {
    destination,
    type: "bind",
    source,
    options: ["rbind", readOnly ? "ro" : "rw", ...propagation],
  };
}

/** A tmpfs. */
export function memoryMount(destination: string, options: readonly string[]): SpecMount {
  return {
    destination,
    type: "tmpfs",
    source: "tmpfs",
    // Docker's defaults; the user's options follow and win.
    options: ["noexec", "nosuid", "nodev", ...options],
  };
}

/** The container's own copy of an image directory, writable even if the root is read-only. */
export function overlayMount(
  destination: string,
  directories: { readonly lower: string; readonly upper: string; readonly work: string },
): SpecMount {
  return {
    destination,
    type: "overlay",
    source: "overlay",
    options: overlayOptions(directories).split(","),
  };
}

/**
 * Options of an overlay (overlayfs.rst). Our paths need no quoting.
 */
export function overlayOptions(
  { lower, upper, work }: {
    readonly lower: string;
    readonly upper: string;
    readonly work: string;
  },
): string {
  return `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
}

/**
 * The mounts in the required order: a directory before its content; of two for one target, the
 * later one, which is the user's.
 */
export function orderMounts(mounts: readonly SpecMount[]): SpecMount[] {
  const depth = ({ destination }: SpecMount) => destination.split("/").length;
  const last = mounts.filter((mount, index) =>
    !mounts.some(({ destination }, later) => later > index && destination === mount.destination)
  );
  return last.map((mount, index) => ({ mount, index }))
    .sort((a, b) => depth(a.mount) - depth(b.mount) || a.index - b.index)
    .map(({ mount }) => mount);
}
