/** The wanted things of a host, group by group. */

import { CONFIG_PATH, formatCidr } from "@hpk/core";
import type { SetupSettings } from "./choices.ts";
import { type CniNetwork, formatConflist } from "./cni_network.ts";
import { APPTAINER, NEEDS, packageOf } from "./distribution.ts";
import { FLANNEL_LINE } from "./flannel_setting.ts";
import type { HostLook } from "./host_look.ts";
import type { Group, Wanted } from "./item.ts";
import { moduleState, wantedModules } from "./kernel_modules.ts";
import {
  formatModules,
  formatSysctls,
  formatUdevRule,
  formatUnit,
  MODULES_PATH,
  SYSCTL_PATH,
  UDEV_PATH,
  UNIT_LINK,
  UNIT_PATH,
  wantedSysctls,
} from "./own_files.ts";
import { formatChains, passChains, setupChains } from "./setup_firewall.ts";

/** Packages of missing programs; those that must be installed by hand are problems. */
export function packages(look: HostLook, withPackages: boolean, problems: string[]): Wanted[] {
  const { distribution, missing } = look;
  const byHand = missing.filter((need) =>
    !withPackages || packageOf(need, distribution) === undefined
  );
  for (const need of byHand) {
    const called = packageOf(need, distribution) ?? need.packages.apt;
    problems.push(
      `${need.programs.join(", ")} ${need.programs.length > 1 ? "are" : "is"} not installed ` +
        `(${need.reason}): install ${called}` +
        (distribution.manager === undefined
          ? `; host-setup does not know the packages of '${distribution.title}'`
          : ""),
    );
  }
  if (!withPackages) return [];
  const needs = look.apptainer === undefined ? [...NEEDS, APPTAINER] : NEEDS;
  return needs.flatMap((need): Wanted[] => {
    const id = packageOf(need, distribution);
    return id === undefined
      ? []
      : [{ group: "packages", kind: "package", id, value: "installed", reason: need.reason }];
  });
}

/** Kernel modules that this kernel has as modules, and the file that loads them at boot. */
export function modules(look: HostLook, notes: string[]): Wanted[] {
  const group: Group = "kernel modules";
  const states = wantedModules(look.backend).map((module) => ({
    ...module,
    state: moduleState(module.name, look.modules),
  }));
  const unknown = states.filter(({ state }) => state === undefined);
  if (unknown.length > 0) {
    notes.push(
      `cannot determine whether the kernel has ${unknown.map(({ name }) => name).join(", ")}: ` +
        `its modules are not installed below /lib/modules; --verify shows whether everything works`,
    );
  }
  const absent = states.filter(({ state }) => state === "absent");
  if (absent.length > 0) {
    notes.push(`the kernel lacks ${absent.map(({ name }) => name).join(", ")}`);
  }
  const present = states.filter(({ state }) => state === "loaded" || state === "loadable");
  const named = states.filter(({ state }) => state !== undefined && state !== "absent");
  return [
    ...named.map(({ name, reason }): Wanted => ({
      group,
      kind: "module",
      id: name,
      value: "loaded",
      reason,
    })),
    ...(present.length === 0 ? [] : [file(
      group,
      MODULES_PATH,
      formatModules(present.map(({ name }) => name)),
      "loads the modules at boot",
    )]),
  ];
}

/** Kernel settings, and the file that sets them at boot. */
export function kernelSettings(uplink: string | undefined): Wanted[] {
  const group: Group = "kernel settings";
  const sysctls = wantedSysctls(uplink);
  return [
    ...sysctls.map(({ key, value, reason }): Wanted => ({
      group,
      kind: "sysctl",
      id: key,
      value,
      reason,
    })),
    file(group, SYSCTL_PATH, formatSysctls(sysctls), "sets them at boot"),
  ];
}

/** Directories and device nodes that hpktainer needs. */
export function devices(): Wanted[] {
  const group: Group = "files and devices";
  return [
    {
      group,
      kind: "directory",
      id: "/etc/hpktainer",
      value: "directory",
      reason: "it contains config.ini and host.ini",
    },
    { group, kind: "directory", id: "/dev/net", value: "directory", reason: "for /dev/net/tun" },
    {
      group,
      kind: "device",
      id: "/dev/net/tun",
      value: "character device",
      reason: "hpk-net-daemon makes TAP devices with it",
    },
  ];
}

/** Where Flannel is installed, containers are not to fall back to another network without it. */
export function networkSetting({ flannel, networkLine }: HostLook, notes: string[]): Wanted[] {
  if (flannel === undefined) return [];
  if (networkLine !== null && networkLine !== FLANNEL_LINE) {
    notes.push(`${CONFIG_PATH} says '${networkLine}': that stays, although Flannel is installed`);
    return [];
  }
  return [{
    group: "files and devices",
    kind: "setting",
    id: CONFIG_PATH,
    value: FLANNEL_LINE,
    reason: `Flannel is installed (${flannel}): a container without it is an error`,
  }];
}

/** The bridge, and the configuration that attaches plain Apptainer's containers to it. */
export function cniNetwork(look: HostLook, network: CniNetwork, notes: string[]): Wanted[] {
  const group: Group = "network for Apptainer";
  const bridge: Wanted = {
    group,
    kind: "bridge",
    id: network.bridge,
    value: "bridge",
    reason: "containers are attached to it",
  };
  if (look.apptainer === undefined) {
    notes.push(
      "Apptainer is not installed: its network is set up once it is " +
        "(https://apptainer.org, or the package apptainer), by the next --apply",
    );
    return [bridge];
  }
  const path = `${look.apptainer.networkDirectory}/50_${network.name}.conflist`;
  return [
    bridge,
    file(
      group,
      path,
      formatConflist(network),
      `'apptainer --net --network ${network.name}' gives a container an address in ` +
        `${formatCidr(network.subnet)}`,
    ),
  ];
}

/** Our chains in each packet filter in use, and the bridge in firewalld. */
export function firewall(
  look: HostLook,
  network: CniNetwork,
  uplink: string | undefined,
  { imds }: SetupSettings,
  problems: string[],
): Wanted[] {
  const group: Group = "firewall";
  if (look.rulesError !== undefined) {
    const isMissing = look.missing.some((need) => need.programs.includes("iptables-save"));
    if (!isMissing) problems.push(`the packet filter cannot be read: ${look.rulesError}`);
    return [];
  }
  const chains = setupChains(network, uplink, imds);
  const rules = look.ruleSets.map(({ id }, index): Wanted => ({
    group,
    kind: "firewall",
    id,
    value: formatChains(index === 0 ? chains : passChains(chains)),
    reason: index === 0
      ? `containers reach the outside through ${
        uplink ?? "every interface"
      }, and published ports reach them`
      : "both back ends of iptables are in use, and a packet must pass both",
  }));
  if (!look.firewalld) return rules;
  return [...rules, {
    group,
    kind: "firewalld",
    id: network.bridge,
    value: "in the zone trusted",
    reason: "firewalld rejects what it forwards from other zones",
  }];
}

/** Checksum offload, for present and future links. */
export function offload(look: HostLook, { bridge }: CniNetwork, settings: SetupSettings): Wanted[] {
  const group: Group = "checksum offload";
  if (settings.offload === "keep") return [];
  const isAll = settings.offload === "all";
  const off = (id: string, reason: string): Wanted => ({
    group,
    kind: "offload",
    id,
    value: "off",
    reason,
  });
  const reason = "packets from the host to containers need their checksums filled in";
  const links = [off(bridge, reason)];
  if (isAll) links.push(off("every veth", "offload = all was chosen"));
  if (look.ethtool === undefined) return links;
  const rule = formatUdevRule(look.ethtool, bridge, isAll);
  return [...links, file(group, UDEV_PATH, rule, "the same for future links")];
}

/** Ports of running instances; those of others are published when they start. */
export function ports({ ini, instances }: HostLook): Wanted[] {
  return ini.ports.filter(({ instance }) => instances.includes(instance))
    .map(({ instance, publish }): Wanted => ({
      group: "published ports",
      kind: "port",
      id: `${instance} ${publish}`,
      value: "published",
      reason: `host.ini publishes it for the running instance ${instance}`,
    }));
}

/** The unit that restores the volatile part at boot. */
export function unit(look: HostLook, notes: string[]): Wanted[] {
  const group: Group = "start at boot";
  if (!look.systemd) {
    notes.push(
      "systemd is not in use: run 'host-setup --apply --no-packages' at boot by other means",
    );
    return [];
  }
  if (/^\/(tmp|var\/tmp|run|dev\/shm)\//.test(look.self)) {
    notes.push(
      `the unit runs ${look.self}, which may be gone at the next boot: install host-setup at a ` +
        "permanent path, such as /usr/local/bin, and run --apply from there",
    );
  }
  const reason = "restores rules and bridge at boot";
  return [
    file(group, UNIT_PATH, formatUnit(look.self), reason),
    {
      group,
      kind: "symlink",
      id: UNIT_LINK,
      value: `../${UNIT_PATH.split("/").at(-1)}`,
      reason: "the unit is enabled",
    },
  ];
}

/** Notes about the host. */
export function notesOn(look: HostLook): string[] {
  const notes: string[] = [];
  if (look.selinux) {
    notes.push("SELinux is enforcing: files are labelled with restorecon if it is installed");
  }
  if (look.firewalld) {
    notes.push(
      "firewalld runs: 'firewall-cmd --reload' flushes all iptables rules, ours and Docker's, in some versions; " +
        "run --apply after it, or set FlushAllOnReload=no in /etc/firewalld/firewalld.conf",
    );
  }
  if (look.ruleSets.length > 1) {
    notes.push(
      `both back ends of iptables have rules: ours are in the one that iptables uses; in ` +
        `${look.ruleSets[1]!.id} are those that let packets pass`,
    );
  }
  return notes;
}

function file(group: Group, id: string, value: string, reason: string): Wanted {
  return { group, kind: "file", id, value, reason };
}
