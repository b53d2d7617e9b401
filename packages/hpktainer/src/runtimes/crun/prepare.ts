/** Collects and checks what a container needs before anything is created for it. */

import { allCapabilities, HpkError } from "@hpk/core";
import {
  findProgram,
  listDirectory,
  missingRootCapabilities,
  programInPath,
  readFileIfExists,
} from "@hpk/core/os";
import { type Account, findAccount } from "../../containers/pure/accounts.ts";
import { planCapabilities } from "./pure/capabilities.ts";
import {
  CGROUP_ROOT,
  type CgroupFacts,
  planLimits,
  readCgroups,
  restrictsDevices,
} from "./pure/cgroup_limits.ts";
import { commandOf } from "../../containers/pure/command_line.ts";
import { mergeEnvironment } from "../../containers/pure/environment.ts";
import { checkExecutable } from "../../containers/pure/executable.ts";
import type { SpecDevice, SpecMount } from "./pure/oci_spec.ts";
import { resolveInRoot } from "../../containers/pure/root_path.ts";
import { bindMount, memoryMount, overlayMount } from "./pure/spec_mounts.ts";
import type { StoredContainer } from "../../containers/pure/stored_container.ts";
import type { VolumeRequest } from "../../containers/pure/volumes.ts";
import { pathsOf } from "../../containers/paths.ts";
import { allDevices, readDevices } from "./devices.ts";
import { lookInto, readHead, readInRoot } from "../../containers/image_files.ts";

/** The capability to make device files (mknod(2)). */
const MAKES_DEVICES = "CAP_MKNOD";

/** A container's own directory. */
export interface OwnDirectory {
  readonly path: string;
  /** Directory whose owner and mode it gets; root's if undefined. */
  readonly model?: string;
}

/** Small init programs without library dependencies; the first one installed is used. */
const INIT_PROGRAMS = ["catatonit", "tini-static", "docker-init"].map((name) =>
  programInPath(name, "install catatonit or tini (packages of those names)", [
    "/usr/libexec/podman",
    "/usr/libexec/docker",
  ])
);

/** A container that is ready to be created. */
export interface CrunContainer {
  readonly container: StoredContainer;
  readonly command: readonly string[];
  readonly account: Account;
  readonly mounts: readonly SpecMount[];
  /** Directories that the mounts need: those of its own volumes. */
  readonly directories: readonly OwnDirectory[];
  readonly devices: readonly SpecDevice[];
  readonly capabilities: readonly string[];
  readonly cgroups: CgroupFacts;
  /** Whether its access to devices can be restricted. */
  readonly restrictsDevices: boolean;
  readonly resources: Readonly<Record<string, unknown>>;
  /** Path of the init program, if one is used. */
  readonly init: string | undefined;
  /** Whether the image lacks /etc/passwd, so that one is generated. */
  readonly lacksPasswd: boolean;
  /** Requested options that have no effect. */
  readonly warnings: readonly string[];
}

/**
 * Collects what a container needs.
 *
 * @throws {HpkError} When the container cannot be run.
 */
export function prepareContainer(container: StoredContainer): CrunContainer {
  const { options, config, image, id, args } = container;
  const layers = [pathsOf(id).upper, image.rootfs];
  const passwd = readInRoot(layers, "/etc/passwd");
  const user = options.user ?? config.user;
  const volumes = ownVolumes(container, layers);
  const own = ownCapabilities();
  const { granted, lacking } = planCapabilities(options.security, own);
  const cgroups = readHostCgroups();
  const { resources, unset } = planLimits(options.limits, cgroups);
  const restricts = restrictsDevices(cgroups, own);
  // Then its own device files must not work.
  const isOpen = !restricts && !options.security.privileged;
  const command = commandOf({
    entrypoint: options.entrypoint,
    args,
    imageEntrypoint: config.entrypoint,
    imageCommand: config.cmd,
  });
  // A mount may contain the command: then crun reports a missing one.
  if (options.volumes.length === 0) {
    const environment = mergeEnvironment(config.env, options.environment);
    const directory = options.workingDirectory ?? (config.workingDir || "/");
    checkExecutable(lookInto(layers), (path) => readHead(layers, path), {
      command: command[0]!,
      environment,
      directory,
    });
  }
  return {
    container,
    command,
    account: findAccount(user, passwd, readInRoot(layers, "/etc/group"), options.groups),
    mounts: [...volumes.mounts, ...options.volumes.flatMap((volume) => mountOf(volume, container))],
    directories: volumes.directories,
    devices: [
      ...(options.security.privileged ? allDevices() : []),
      ...readDevices(options.devices),
    ],
    capabilities: isOpen ? granted.filter((name) => name !== MAKES_DEVICES) : granted,
    cgroups,
    restrictsDevices: restricts,
    resources,
    init: options.init ? findInit() : undefined,
    lacksPasswd: passwd === "" &&
      resolveInRoot(lookInto(layers), "/etc/passwd") === undefined,
    warnings: [
      ...unset,
      ...(isOpen
        ? [`devices cannot be restricted on this host, so ${MAKES_DEVICES} is not given`]
        : []),
      ...lacking.map((name) => `--cap-add ${name} is not given: this process does not have it`),
    ],
  };
}

/** The layout of this host's control groups. */
function readHostCgroups(): CgroupFacts {
  const facts = readCgroups(
    Deno.readTextFileSync("/proc/self/mountinfo"),
    (path) => readFileIfExists(`${path}/cgroup.procs`) !== undefined,
    readFileIfExists(`${CGROUP_ROOT}/cgroup.controllers`) ?? "",
  );
  // crun would create directories there even if nothing is mounted.
  const place = `${CGROUP_ROOT}/unified`;
  const isThere = facts.second === undefined && listDirectory(place) !== undefined;
  return isThere ? { ...facts, second: place } : facts;
}

/** The capabilities that this process can pass on. */
export function ownCapabilities(): string[] {
  const missing = missingRootCapabilities();
  const last = Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap"));
  return allCapabilities().slice(0, last + 1).filter((name) => !missing.includes(name));
}

function findInit(): string {
  for (const program of INIT_PROGRAMS) {
    const path = findProgram(program);
    if (path !== undefined) return Deno.realPathSync(path);
  }
  throw new HpkError({
    what: "cannot use --init",
    why: "no init program for containers is installed",
    fix: INIT_PROGRAMS[0]!.fix,
  });
}

function mountOf(volume: VolumeRequest, { directory }: StoredContainer): SpecMount[] {
  if (volume.kind === "anonymous") return [];
  if (volume.kind === "tmpfs") return [memoryMount(volume.target, volume.options)];
  const source = volume.source.startsWith("/") ? volume.source : `${directory}/${volume.source}`;
  let path: string;
  try {
    path = Deno.realPathSync(source);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
    throw new HpkError({
      what: `cannot mount ${volume.source} at ${volume.target}`,
      why: `${source} does not exist`,
      fix: /^[\w.-]+$/.test(volume.source)
        ? "create that directory; named volumes are not supported"
        : "create it, or name another",
    }, { cause: error });
  }
  return [bindMount(path, volume.target, volume.readOnly, volume.options)];
}

/** The volumes that the image, or `-v DST`, declares. */
function ownVolumes(
  { id, options, config, image }: StoredContainer,
  layers: readonly string[],
): { mounts: SpecMount[]; directories: OwnDirectory[] } {
  const taken = options.volumes.filter(({ kind }) => kind !== "anonymous");
  const wanted = [
    ...config.volumes,
    ...options.volumes.flatMap(({ kind, target }) => kind === "anonymous" ? target : []),
  ].filter((target) => !taken.some((volume) => volume.target === target));
  const { volumes } = pathsOf(id);
  const mounts: SpecMount[] = [];
  const directories: OwnDirectory[] = [];
  [...new Set(wanted)].forEach((target, index) => {
    const upper = `${volumes}/${index}/upper`;
    const found = resolveInRoot(lookInto(layers.slice(1)), target);
    if (found?.entry.kind !== "directory") {
      directories.push({ path: upper });
      mounts.push(bindMount(upper, target, false));
      return;
    }
    const work = `${volumes}/${index}/work`;
    const lower = `${image.rootfs}${found.path === "/" ? "" : found.path}`;
    // The upper directory is the volume's root: it gets the owner and mode of the image's.
    directories.push({ path: upper, model: lower }, { path: work });
    mounts.push(overlayMount(target, { lower, upper, work }));
  });
  return { mounts, directories };
}
