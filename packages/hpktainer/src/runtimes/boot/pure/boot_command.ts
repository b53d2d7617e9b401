import { type CgroupMount, type Mask, maskTargets, NETWORK_SETTINGS } from "@hpk/core";
import type { ContainerInvocation } from "../../../arguments/arguments.ts";
import type { BootOptions } from "../../../arguments/boot_options.ts";

/** What Apptainer drops of a booted container's capabilities by default (`instance start --boot`). */
const DROPPED_BY_DEFAULT = ["CAP_SYS_BOOT", "CAP_SYS_RAWIO"];

/** What a booted container needs on the host. */
export interface BootFiles {
  /** An empty file: bound over a unit, it masks it. */
  readonly mask: string;
  /** A file for tmpfiles.d(5), see {@linkcode RESOLVER_SNIPPET}; and the resolver that it leads to. */
  readonly resolver: { readonly snippet: string; readonly file: string };
  /** Paths of the kernel's settings that it must not change, see `hostSettings` of the core. */
  readonly hostSettings: readonly string[];
  /** Whether it may change the settings below net, of whose network so ever. */
  readonly netSettingsWritable: boolean;
  /**
   * In the host's network, the path of its namespace and the file for the pid, where the user names
   * none; undefined in a network of its own.
   */
  readonly hostNetwork:
    | { readonly namespacePath: string; readonly pidFile: string | undefined }
    | undefined;
}

/** Where the container sees its resolver besides /etc/resolv.conf. */
const RESOLVER_IN_CONTAINER = "/etc/hpktainer-resolv.conf";

/**
 * For images whose /etc/resolv.conf is a link into /run, where systemd-resolved would make the file:
 * /run is empty until systemd has mounted it, so that the file cannot be bound there (tmpfiles.d(5)).
 */
export const RESOLVER_SNIPPET = `d /run/systemd/resolve 0755 root root -
L /run/systemd/resolve/resolv.conf - - - - ${RESOLVER_IN_CONTAINER}
L /run/systemd/resolve/stub-resolv.conf - - - - ${RESOLVER_IN_CONTAINER}
`;

/**
 * Options for Apptainer to boot an instance, to stand behind the user's.
 *
 * @param masks What is to be masked.
 * @param missing Capabilities that root lacks on this host.
 * @param has Tells whether the image has a regular file at a path; asked only where it is written in
 * place, so that bind points cannot be made in it.
 */
export function bootArguments(
  boot: BootOptions,
  files: BootFiles,
  masks: readonly Mask[],
  missing: readonly string[],
  has: (path: string) => boolean,
): string[] {
  const inPlace = boot.writable === "in place";
  const binds = masks.flatMap((mask) =>
    maskTargets(mask, inPlace ? has : undefined).map((target) => `${files.mask}:${target}:ro`)
  );
  const settings = [
    ...files.hostSettings,
    ...(files.netSettingsWritable ? [] : [NETWORK_SETTINGS]),
  ];
  binds.push(...settings.map((path) => `${path}:${path}:ro`));
  if (!inPlace) {
    binds.push(
      `${files.resolver.file}:${RESOLVER_IN_CONTAINER}:ro`,
      `${files.resolver.snippet}:/etc/tmpfiles.d/hpktainer.conf:ro`,
    );
  }
  return [
    // logind removes System V IPC objects of users who log out: they must not be the host's.
    "--ipc",
    ...(boot.writable === "not at all" ? ["--writable-tmpfs"] : []),
    ...capabilityOptions(boot, missing),
    ...binds.flatMap((bind) => ["--bind", bind]),
    ...hostNetworkOptions(files.hostNetwork),
  ];
}

function hostNetworkOptions(network: BootFiles["hostNetwork"]): string[] {
  if (network === undefined) return [];
  const { namespacePath, pidFile } = network;
  return [
    ...["--netns-path", namespacePath],
    // Without a network of its own Apptainer gives it a file that names nothing but localhost.
    ...["--bind", "/etc/hosts:/etc/hosts:ro"],
    ...(pidFile === undefined ? [] : ["--pid-file", pidFile]),
  ];
}

/**
 * Apptainer ignores what else is to be dropped when it boots, also where root lacks a capability. To
 * keep all and drop a list of our own comes to the same with it.
 */
function capabilityOptions(boot: BootOptions, missing: readonly string[]): string[] {
  const extra = [...boot.dropCapabilities, ...missing];
  if (extra.length === 0) return [];
  const dropped = new Set([...(boot.keepPrivileges ? [] : DROPPED_BY_DEFAULT), ...extra]);
  return ["--keep-privs", "--drop-caps", [...dropped].join(",")];
}

/** Variables that Apptainer itself may need, and those that are for it. */
const KEPT_VARIABLES = /^(PATH|HOME|USER|LOGNAME|TMPDIR|APPTAINER.*|SINGULARITY.*)$/;

/** Variables that fetching an image may need. */
const FETCH_VARIABLES = /^((https?|no|all|ftp)_proxy|SSL_CERT_(FILE|DIR))$/i;

/**
 * Tells systemd not to mount the hierarchy of version 2 by itself where the host has not. There it would
 * be in the host's root group, as we cannot put it into another (systemd(1), "Kernel command line").
 */
const LEGACY_CGROUPS =
  "systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1";

/**
 * The environment for Apptainer. It becomes that of the container's first process, for which whoever
 * starts it is nothing: secrets of a shell would lie in /proc/1/environ as long as the container runs.
 *
 * @param own This process's environment.
 * @param image The image as the user names it.
 * @param mounts The host's hierarchies of control groups.
 * @param added What the container is to know.
 */
export function bootEnvironment(
  own: Readonly<Record<string, string>>,
  image: string,
  mounts: readonly CgroupMount[],
  added: Readonly<Record<string, string>>,
): Record<string, string> {
  const isFetched = /^[a-z][a-z0-9+.-]*:/i.test(image);
  const kept = Object.entries(own).filter(([name]) =>
    KEPT_VARIABLES.test(name) || (isFetched && FETCH_VARIABLES.test(name))
  );
  const isLegacy = mounts.length > 0 && mounts.every(({ version }) => version === 1);
  return {
    ...Object.fromEntries(kept),
    // What systemd looks for to know that it is in a container (systemd.io/CONTAINER_INTERFACE).
    container: "apptainer",
    ...(isLegacy ? { SYSTEMD_PROC_CMDLINE: LEGACY_CGROUPS } : {}),
    ...added,
  };
}

/** The whole command line for Apptainer of a container in the host's network. */
export function commandInHostNetwork(invocation: ContainerInvocation): string[] {
  return [
    ...invocation.globals,
    ...invocation.verb.split(" "),
    ...invocation.options,
    invocation.image,
    ...invocation.rest,
  ];
}

/** Name of the group in which Apptainer's own process stays, below the container's. */
export const SUPERVISOR_GROUP = "supervisor";

/**
 * A command that runs another in control groups and a control group namespace of its own, and in a
 * mount namespace in which the hierarchies show no more than that: whatever Apptainer and systemd make
 * at their roots lies below our group.
 *
 * The process ends up in a group of its own below the namespace's root, because under version 2 no
 * process may be in a group whose controllers are handed on to groups in it (cgroups(7), "no internal
 * processes").
 *
 * @param mounts The hierarchies.
 * @param group The container's group, by its path from their roots.
 * @param unshare Path of unshare(1).
 */
export function inOwnCgroups(
  mounts: readonly CgroupMount[],
  group: string,
  unshare: string,
): string[] {
  const join = mounts.map(({ path }) => `echo $$ >${quote(`${path}/${group}/cgroup.procs`)}`);
  const enter = mounts.flatMap(({ path }) => [
    `echo $$ >${quote(`${path}/${group}/${SUPERVISOR_GROUP}/cgroup.procs`)}`,
    `mount -n --bind ${quote(`${path}/${group}`)} ${quote(path)}`,
  ]);
  const inside = [...enter, 'exec "$@"'].join(" && ");
  // Slave, not private: what the host unmounts is not held by us.
  const namespaces = ["--cgroup", "--mount", "--propagation", "slave"].join(" ");
  const outside = [
    ...join,
    `exec ${quote(unshare)} ${namespaces} -- sh -c ${quote(inside)} sh "$@"`,
  ].join(" && ");
  return ["sh", "-c", outside, "sh"];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Settings of Apptainer's configuration for a boot. Control groups made by systemd, the default, would be
 * at the host's root, out of the container's namespace. And the container's root is left unbindable by
 * Apptainer, unless mounts are made private thereafter: under Linux 6.1, and not 6.18, every service with
 * a mount namespace of its own fails on that, with "status=226/NAMESPACE" (mount_namespaces(7)).
 */
const BOOT_SETTINGS: readonly (readonly [string, string])[] = [
  ["systemd cgroups", "no"],
  ["mount slave", "no"],
];

/**
 * Apptainer's configuration as a boot needs it.
 *
 * @param text The configuration file.
 * @return Undefined where it is so already.
 */
export function bootConfiguration(text: string): string | undefined {
  const wanted = BOOT_SETTINGS.reduce((changed, [name, value]) => {
    const setting = new RegExp(`^[ \\t]*${name}[ \\t]*=[ \\t]*(\\w+)[ \\t]*$`, "gm");
    const values = [...changed.matchAll(setting)].map(([, found]) => found);
    if (values.at(-1) === value) return changed;
    return `${changed.replaceAll(setting, "").trimEnd()}\n${name} = ${value}\n`;
  }, text);
  return wanted === text ? undefined : wanted;
}
