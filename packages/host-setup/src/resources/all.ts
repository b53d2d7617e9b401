import { APPTAINER, NEEDS } from "../pure/distribution.ts";
import type { Desired } from "../pure/desired.ts";
import type { HostLook } from "../pure/host_look.ts";
import { type Entry, isOurs, type Kind } from "../pure/item.ts";
import { isNeedThere } from "../look.ts";
import type { Progress } from "../progress.ts";
import { bridgeResource } from "./bridge.ts";
import { deviceResource } from "./device.ts";
import { directoryResource } from "./directory.ts";
import { fileResource, symlinkResource } from "./file.ts";
import { firewallResource } from "./firewall.ts";
import { firewalldResource } from "./firewalld.ts";
import { moduleResource } from "./module.ts";
import { offloadResource } from "./offload.ts";
import { packageResource } from "./package.ts";
import { portResource } from "./port.ts";
import type { Resource } from "./resource.ts";
import { settingResource } from "./setting.ts";
import { sysctlResource } from "./sysctl.ts";

/** The resource of each kind. */
export type Resources = Readonly<Record<Kind, Resource>>;

/**
 * Creates the resources of one run.
 *
 * @param desired The wanted state; undefined for --undo.
 * @param entries The records before the run.
 */
export function makeResources(
  look: HostLook,
  desired: Desired | undefined,
  entries: readonly Entry[],
  progress: Progress,
): Resources {
  const isWritten = (path: string, text: string) =>
    entries.some((entry) => entry.kind === "file" && entry.id === path && isOurs(entry, text));
  return {
    package: packageResource(
      look.distribution,
      [...NEEDS, APPTAINER],
      (need) => isNeedThere(need, look.apptainer),
      progress,
    ),
    module: moduleResource(look.modules),
    sysctl: sysctlResource(),
    directory: directoryResource(),
    device: deviceResource(),
    file: fileResource(isWritten),
    symlink: symlinkResource(),
    bridge: bridgeResource(look.links, {
      mac: desired?.bridgeMac ?? "",
      mtu: desired?.network.mtu ?? 0,
      mayBePromiscuous: desired === undefined || !desired.network.bridgeNetfilter,
    }),
    firewall: firewallResource(look.ruleSets),
    firewalld: firewalldResource(),
    offload: offloadResource(look.links),
    port: portResource(),
    setting: settingResource(),
  };
}
