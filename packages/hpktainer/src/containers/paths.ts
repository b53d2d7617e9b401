/** Where containers are kept: on a disk, as what they write is, and they are there after a reboot. */
export const CONTAINERS_DIRECTORY = "/var/lib/hpktainer/containers";

/** Paths of a container. */
export interface ContainerPaths {
  /** Directory of all of them. */
  readonly directory: string;
  /** What is known of it. */
  readonly record: string;
  /** What it changes of the image's files. */
  readonly upper: string;
  readonly work: string;
  /** Where its root file system is mounted, in a mount namespace of its own. */
  readonly rootfs: string;
  /** Directory of its own copies of the image's volumes. */
  readonly volumes: string;
  readonly resolvConf: string;
  readonly hosts: string;
  readonly hostname: string;
  /** What it has written, see pure/log_lines.ts. */
  readonly log: string;
  /** Directory in which its supervisor leaves the exit status, in a file with the id's name. */
  readonly exits: string;
  readonly exitStatus: string;
  /** Process id of its first process. */
  readonly pid: string;
}

/** Paths of a container by its id. */
export function pathsOf(id: string): ContainerPaths {
  const directory = `${CONTAINERS_DIRECTORY}/${id}`;
  return {
    directory,
    record: `${directory}/container.json`,
    upper: `${directory}/upper`,
    work: `${directory}/work`,
    rootfs: `${directory}/rootfs`,
    volumes: `${directory}/volumes`,
    resolvConf: `${directory}/resolv.conf`,
    hosts: `${directory}/hosts`,
    hostname: `${directory}/hostname`,
    log: `${directory}/log`,
    exits: `${directory}/exits`,
    exitStatus: `${directory}/exits/${id}`,
    pid: `${directory}/pid`,
  };
}

/**
 * Path of a container's control group below each hierarchy. They have no parent of ours: removing it
 * with the last could meet the making of the next.
 */
export function cgroupOf(id: string): string {
  return `/hpktainer-${id}`;
}
