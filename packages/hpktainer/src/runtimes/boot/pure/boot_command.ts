import { type CgroupMount, type Mask, maskTargets, NETWORK_SETTINGS } from "@hpk/core";
import type { ContainerInvocation } from "../../../arguments/arguments.ts";
import type { BootOptions } from "../../../arguments/boot_options.ts";

/**
 * Capabilities that Apptainer drops by default for a booted container (`instance start --boot`).
 */
const DROPPED_BY_DEFAULT = ["CAP_SYS_BOOT", "CAP_SYS_RAWIO"];

/** What a booted container needs on the host. */
export interface BootFiles {
  /** An empty file: bound over a unit, it masks it. */
  readonly mask: string;
  /**
   * A file for tmpfiles.d(5), see {@linkcode RESOLVER_SNIPPET}, and the resolver that it links to.
   */
  readonly resolver: { readonly snippet: string; readonly file: string };
  /** Paths of the kernel's settings that it must not change, see `hostSettings` of the core. */
  readonly hostSettings: readonly string[];
  /** Whether it may change the settings below net, be they its own or the host's. */
  readonly netSettingsWritable: boolean;
  /**
   * In the host's network, the path of its namespace and the file for the pid unless the user names
   * one; undefined in its own network.
   */
  readonly hostNetwork:
    | { readonly namespacePath: string; readonly pidFile: string | undefined }
    | undefined;
}

/** Second path of the resolver in the container, besides /etc/resolv.conf. */
const RESOLVER_IN_CONTAINER = "/etc/hpktainer-resolv.conf";

/**
 * For images whose /etc/resolv.conf is a link into /run, where systemd-resolved would make the
 * file: /run is empty until systemd has mounted it, so that the file cannot be bound there
 * (tmpfiles.d(5)).
 */
export const RESOLVER_SNIPPET = `d /run/systemd/resolve 0755 root root -
L /run/systemd/resolve/resolv.conf - - - - ${RESOLVER_IN_CONTAINER}
L /run/systemd/resolve/stub-resolv.conf - - - - ${RESOLVER_IN_CONTAINER}
`;

/**
 * Options for Apptainer to boot an instance; they follow the user's.
 *
 * @param masks The units to mask.
 * @param missing Capabilities that root lacks on this host.
 * @param has Returns whether the image has a regular file at a path; called only where it is
 * written in place, so that bind points cannot be made in it.
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
    // Without its own network Apptainer gives it a file that lists only localhost.
    ...["--bind", "/etc/hosts:/etc/hosts:ro"],
    ...(pidFile === undefined ? [] : ["--pid-file", pidFile]),
  ];
}

/**
 * When it boots, Apptainer ignores other capabilities to drop, even those that root lacks. To keep
 * all and drop our own list has the intended effect.
 */
function capabilityOptions(boot: BootOptions, missing: readonly string[]): string[] {
  const extra = [...boot.dropCapabilities, ...missing];
  if (extra.length === 0) return [];
  const dropped = new Set([...(boot.keepPrivileges ? [] : DROPPED_BY_DEFAULT), ...extra]);
  return ["--keep-privs", "--drop-caps", [...dropped].join(",")];
}

/** Variables that Apptainer may need, and those addressed to it. */
const KEPT_VARIABLES = /^(PATH|HOME|USER|LOGNAME|TMPDIR|APPTAINER.*|SINGULARITY.*)$/;

/** Variables that the fetch of an image may need. */
const FETCH_VARIABLES = /^((https?|no|all|ftp)_proxy|SSL_CERT_(FILE|DIR))$/i;

/**
 * Keeps systemd from mounting the cgroup v2 hierarchy if the host has not mounted it. There it
 * would be in the host's root group, as we cannot move it to another (systemd(1), "Kernel command
 * line").
 */
const LEGACY_CGROUPS =
  "systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1";

/**
 * The environment for Apptainer. It becomes that of the container's first process, so most of the
 * caller's is left out: its secrets would be in /proc/1/environ as long as the container runs.
 *
 * @param own This process's environment.
 * @param image The image as the user names it.
 * @param mounts The host's hierarchies of control groups.
 * @param added Variables for the container.
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
    // By this systemd detects that it runs in a container (systemd.io/CONTAINER_INTERFACE).
    container: "apptainer",
    ...(isLegacy ? { SYSTEMD_PROC_CMDLINE: LEGACY_CGROUPS } : {}),
    ...added,
  };
}

/** Apptainer's full command line for a container in the host's network. */
export function commandInHostNetwork(invocation: ContainerInvocation): string[] {
  return [
    ...invocation.globals,
    ...invocation.verb.split(" "),
    ...invocation.options,
    invocation.image,
    ...invocation.rest,
  ];
}

/** Name of the group of Apptainer's own process, below the container's. */
export const SUPERVISOR_GROUP = "supervisor";

/**
 * A command that runs another one in its own control groups and control group namespace, and in a
 * mount namespace whose hierarchies show only these: whatever Apptainer and systemd create at their
 * roots is below our group.
 *
 * The process ends up in its own group below the namespace's root, because under version 2 a
 * process may not be in a group that passes controllers on to its children (cgroups(7), "no
 * internal processes").
 *
 * @param mounts The hierarchies.
 * @param group Path of the container's group below their roots.
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
  // Slave, not private: so we do not hold what the host unmounts.
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
 * Settings of Apptainer's configuration for a boot. Control groups made by systemd, the default,
 * would be at the host's root, outside the container's namespace. And Apptainer leaves the
 * container's root unbindable unless mounts are made private afterwards: under Linux 6.1, but not
 * 6.18, every service with its own mount namespace then fails with "status=226/NAMESPACE"
 * (mount_namespaces(7)).
 */
const BOOT_SETTINGS: readonly (readonly [string, string])[] = [
  ["systemd cgroups", "no"],
  ["mount slave", "no"],
];

/**
 * Apptainer's configuration adapted for a boot.
 *
 * @param text The configuration file.
 * @return Undefined if it needs no change.
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
