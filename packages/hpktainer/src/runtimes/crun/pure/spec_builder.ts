import type { ImageConfig } from "../../../images/pure/image_config.ts";
import type { Account } from "../../../containers/pure/accounts.ts";
import { DEFAULT_PATH, mergeEnvironment } from "../../../containers/pure/environment.ts";
import type { OciSpec, SpecDevice, SpecMount, SpecProcess } from "./oci_spec.ts";
import type { RunOptions } from "../../../containers/pure/run_flags.ts";
import { seccompProfile } from "./seccomp.ts";
import { bindMount, orderMounts, ownMounts } from "./spec_mounts.ts";

/** The input of a container's specification; every path is resolved and checked. */
export interface SpecRequest {
  readonly options: RunOptions;
  readonly config: ImageConfig;
  readonly account: Account;
  /** The whole command. */
  readonly command: readonly string[];
  /** Path of the root file system. */
  readonly rootfs: string;
  readonly hostname: string;
  /** Path of its network namespace; "own" for an empty one, "host" for the host's. */
  readonly network: { readonly path: string } | "own" | "host";
  /** Files that replace those of the image. */
  readonly files: {
    readonly resolvConf: string;
    readonly hosts: string;
    readonly hostname: string;
  };
  /** The user's mounts. */
  readonly mounts: readonly SpecMount[];
  readonly devices: readonly SpecDevice[];
  readonly capabilities: readonly string[];
  /** Limits, linux.resources. */
  readonly resources: Readonly<Record<string, unknown>>;
  readonly hasCgroups: boolean;
  /** Whether its access to devices can be restricted. */
  readonly restrictsDevices: boolean;
  readonly cgroupsPath: string;
  /** Variables that describe the network. */
  readonly networkVariables: readonly string[];
  /** Path of the init program on the host; undefined for none. */
  readonly init: string | undefined;
  /** The architecture, as named by Deno. */
  readonly arch: string;
}

/** Path of the init program in the container. */
const INIT_PATH = "/run/hpk-init";

/** Paths that reveal too much about the host (docker-run(1), "--security-opt systempaths"). */
const MASKED_PATHS = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

/** Paths that would change the host. */
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Devices that a container may access besides its own: ptmx, terminals, and the standard ones. */
const DEVICE_RULES = [
  // Nodes may be created (CAP_MKNOD), but not opened.
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...([[1, 3], [1, 5], [1, 7], [1, 8], [1, 9], [5, 0], [5, 1], [5, 2]] as const)
    .map(([major, minor]) => ({ allow: true, type: "c", major, minor, access: "rwm" })),
  // Terminals of devpts (devices.txt, 136-143).
  { allow: true, type: "c", major: 136, access: "rwm" },
];

/**
 * Settings of the container's own network: ports below 1024 and ping without capabilities, as in
 * Docker.
 */
const NETWORK_SYSCTLS = {
  "net.ipv4.ip_unprivileged_port_start": "0",
  "net.ipv4.ping_group_range": "0 2147483647",
};

/** Builds a container's specification. */
export function buildSpec(request: SpecRequest): OciSpec {
  const { options, network } = request;
  const { privileged, seccomp } = options.security;
  return {
    ociVersion: "1.0.2",
    process: buildProcess(request),
    root: { path: request.rootfs, readonly: options.readOnly },
    hostname: request.hostname,
    mounts: orderMounts([
      ...ownMounts({
        sharedMemory: options.sharedMemory,
        privileged,
        hasCgroups: request.hasCgroups,
        hostIpc: options.hostIpc,
      }),
      bindMount(request.files.resolvConf, "/etc/resolv.conf", false),
      bindMount(request.files.hosts, "/etc/hosts", false),
      bindMount(request.files.hostname, "/etc/hostname", false),
      ...(request.init === undefined ? [] : [bindMount(request.init, INIT_PATH, true)]),
      ...request.mounts,
    ]),
    annotations: {},
    linux: {
      namespaces: [
        ...(network === "host"
          ? []
          : [{ type: "network", ...(network === "own" ? {} : { path: network.path }) }]),
        { type: "mount" },
        { type: "uts" },
        ...(options.hostProcesses ? [] : [{ type: "pid" }]),
        ...(options.hostIpc ? [] : [{ type: "ipc" }]),
        ...(request.hasCgroups ? [{ type: "cgroup" }] : []),
      ],
      devices: request.devices.map(({ access: _access, ...device }) => device),
      resources: {
        ...request.resources,
        ...(request.restrictsDevices ? { devices: deviceRules(privileged, request.devices) } : {}),
      },
      cgroupsPath: request.cgroupsPath,
      sysctl: { ...(network === "host" ? {} : NETWORK_SYSCTLS), ...options.sysctls },
      maskedPaths: privileged ? [] : MASKED_PATHS,
      readonlyPaths: privileged ? [] : READONLY_PATHS,
      ...(seccomp === "unconfined" ? {} : {
        seccomp: seccomp === "default"
          ? seccompProfile(request.capabilities, request.arch)
          : seccomp,
      }),
    },
  };
}

function buildProcess(request: SpecRequest): SpecProcess {
  const { options, config, account, capabilities } = request;
  return {
    terminal: options.terminal,
    user: { uid: account.uid, gid: account.gid, additionalGids: account.groups },
    args: request.init === undefined ? request.command : [INIT_PATH, "--", ...request.command],
    env: environmentOf(request),
    cwd: options.workingDirectory ?? (config.workingDir || "/"),
    // Nothing is inheritable or ambient: a program of another user does not get any.
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    rlimits: options.limits.rlimits,
    noNewPrivileges: options.security.noNewPrivileges,
    ...(options.limits.oomScore === undefined ? {} : { oomScoreAdj: options.limits.oomScore }),
  };
}

/** The image's environment, then ours, then the user's. */
function environmentOf(
  { options, config, account, hostname, networkVariables }: SpecRequest,
): string[] {
  return mergeEnvironment(
    [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${hostname}`],
    options.terminal ? ["TERM=xterm"] : [],
    [`HOME=${account.home}`],
    config.env,
    networkVariables,
    options.environment,
  );
}

function deviceRules(
  privileged: boolean,
  devices: readonly SpecDevice[],
): readonly Readonly<Record<string, unknown>>[] {
  if (privileged) return [{ allow: true, access: "rwm" }];
  return [
    { allow: false, access: "rwm" },
    ...DEVICE_RULES,
    ...devices.map(({ type, major, minor, access }) => ({
      allow: true,
      type,
      major,
      minor,
      access,
    })),
  ];
}
