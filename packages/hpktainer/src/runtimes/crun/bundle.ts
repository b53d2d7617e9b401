/** The directory from which crun creates a container. */

import { exists, faultPoint, removeIfExists } from "@hpk/core/os";
import { madePasswd } from "../../containers/pure/accounts.ts";
import { specText } from "./pure/oci_spec.ts";
import { buildSpec } from "./pure/spec_builder.ts";
import type { GivenNetwork } from "../../containers/runtime.ts";
import { cgroupOf } from "../../containers/paths.ts";
import { type CrunPaths, crunPathsOf } from "./engine.ts";
import type { CrunContainer } from "./prepare.ts";

/** Writes everything that crun reads, and creates the directories that it mounts. */
export function writeBundle(prepared: CrunContainer, network: GivenNetwork): void {
  const { container } = prepared;
  const paths = crunPathsOf(container.id);
  makeDirectories(paths, prepared);
  Deno.writeTextFileSync(paths.hostname, `${network.hostname}\n`);
  const spec = buildSpec({
    options: container.options,
    config: container.config,
    account: prepared.account,
    command: prepared.command,
    rootfs: paths.rootfs,
    hostname: network.hostname,
    network: network.namespace,
    files: network.files,
    mounts: prepared.mounts,
    devices: prepared.devices,
    capabilities: prepared.capabilities,
    resources: prepared.resources,
    hasCgroups: prepared.cgroups.mode !== "none",
    restrictsDevices: prepared.restrictsDevices,
    cgroupsPath: cgroupOf(container.id),
    networkVariables: network.variables,
    init: prepared.init,
    arch: Deno.build.arch,
  });
  Deno.writeTextFileSync(paths.spec, specText(spec));
  faultPoint("crun.bundled");
}

/** Creates a container's directories, and removes what its last run left. */
function makeDirectories(paths: CrunPaths, prepared: CrunContainer): void {
  const { image, options, config } = prepared.container;
  for (const path of [paths.exits, paths.crunLog, paths.pid, paths.conmonPid]) removeIfExists(path);
  // The upper directory is the container's root directory: it gets the image's owner and mode.
  makeLike(image.rootfs, paths.upper);
  for (const path of [paths.work, paths.rootfs, paths.exits]) {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  for (const { path, model } of prepared.directories) {
    Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true, mode: 0o700 });
    makeLike(model, path);
  }
  if (!prepared.lacksPasswd || exists(`${paths.upper}/etc`) || isLink(`${image.rootfs}/etc`)) {
    return;
  }
  // This directory is not the image's, so no link in it can point outside.
  Deno.mkdirSync(`${paths.upper}/etc`, { mode: 0o755 });
  Deno.chmodSync(`${paths.upper}/etc`, 0o755);
  Deno.writeTextFileSync(`${paths.upper}/etc/passwd`, madePasswd(options.user ?? config.user), {
    mode: 0o644,
  });
}

/** Permission bits of a mode. */
const PERMISSIONS = 0o7777;

/** Default owner and mode of a directory. */
const ROOTS = { mode: 0o755, uid: 0, gid: 0 };

/**
 * Creates a directory with the owner and mode of another; without one, root's and readable by all.
 */
function makeLike(model: string | undefined, path: string): void {
  if (exists(path)) return;
  const { mode, uid, gid } = model === undefined ? ROOTS : Deno.statSync(model);
  Deno.mkdirSync(path);
  Deno.chownSync(path, uid, gid);
  Deno.chmodSync(path, (mode ?? 0o755) & PERMISSIONS);
}

function isLink(path: string): boolean {
  return exists(path) && Deno.lstatSync(path).isSymlink;
}
