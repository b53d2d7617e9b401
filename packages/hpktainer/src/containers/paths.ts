/** Where containers are kept: on disk, so that they survive a reboot. */
export const CONTAINERS_DIRECTORY = "/var/lib/hpktainer/containers";

/** Paths of a container. */
export interface ContainerPaths {
  /** The container's directory. */
  readonly directory: string;
  /** Its record. */
  readonly record: string;
  /** Its changes to the image's files. */
  readonly upper: string;
  readonly work: string;
  /** Where its root file system is mounted, in its own mount namespace. */
  readonly rootfs: string;
  /** Directory of its own copies of the image's volumes. */
  readonly volumes: string;
  readonly resolvConf: string;
  readonly hosts: string;
  readonly hostname: string;
  /** Its output, see pure/log_lines.ts. */
  readonly log: string;
  /** Directory where its supervisor writes the exit status, to a file named by the id. */
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
 * Path of a container's control group below each hierarchy. Containers do not share a parent group:
 * removing it with the last container would race with the creation of the next.
 */
export function cgroupOf(id: string): string {
  return `/hpktainer-${id}`;
}
