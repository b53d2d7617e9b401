/**
 * Settings of the kernel that a booted container is not to change: systemd itself raises fs.file-max,
 * fs.nr_open and net.unix.max_dgram_qlen, and there is no unit that could be masked. Each is bound over
 * itself, read-only.
 *
 * /proc/sys is not bound as a whole: systemd on the host has an automount point in it, which would come
 * along, and nobody answers it in a container.
 */

/** Root of the settings (proc_sys(5)). */
const SETTINGS_ROOT = "/proc/sys";

/** Settings of a network namespace: read-only where that is the host's. */
export const NETWORK_SETTINGS = `${SETTINGS_ROOT}/net`;

/** The most important of them, which every kernel has. */
export const COMMON_SETTINGS: readonly string[] = [
  `${SETTINGS_ROOT}/kernel`,
  `${SETTINGS_ROOT}/vm`,
  `${SETTINGS_ROOT}/fs/file-max`,
  `${SETTINGS_ROOT}/fs/nr_open`,
];

/**
 * Finds the paths to bind so that all settings but those of the network are covered.
 *
 * @param list Names in a directory.
 * @param mountinfo A process's mountinfo (proc_pid_mountinfo(5)), for what must not come along.
 */
export function hostSettings(
  list: (path: string) => readonly string[],
  mountinfo: string,
): string[] {
  const foreign = new Set(
    mountinfo.split("\n").flatMap((line) => {
      const [left = "", right = ""] = line.split(" - ");
      return /^(autofs|binfmt_misc) /.test(right) ? [left.split(" ")[4] ?? ""] : [];
    }),
  );
  const below = (path: string): string[] => {
    if (path === NETWORK_SETTINGS || foreign.has(path)) return [];
    const isFree = ![...foreign].some((mount) => mount.startsWith(`${path}/`));
    return isFree ? [path] : list(path).flatMap((name) => below(`${path}/${name}`));
  };
  return list(SETTINGS_ROOT).flatMap((name) => below(`${SETTINGS_ROOT}/${name}`));
}
