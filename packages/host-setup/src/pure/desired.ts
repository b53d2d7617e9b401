/** What the host should be like: every thing that is wanted, with its reason. */

import { formatCidr, HpkError } from "@hpk/core";
import {
  bridgeMac,
  checkBridge,
  checkNames,
  chooseSubnet,
  type CniNetwork,
  formatConflist,
} from "./cni_network.ts";
import type { Choices, SetupSettings } from "./choices.ts";
import { APPTAINER, NEEDS, packageOf } from "./distribution.ts";
import type { HostLook } from "./host_look.ts";
import { type Group, keyOf, type Kind, type Wanted } from "./item.ts";
import { moduleState, wantedModules } from "./kernel_modules.ts";
import {
  formatModules,
  formatSysctls,
  formatUdevRule,
  formatUnit,
  MODULES_PATH,
  parentsOf,
  SYSCTL_PATH,
  UDEV_PATH,
  UNIT_LINK,
  UNIT_PATH,
  wantedSysctls,
} from "./own_files.ts";
import { formatChains, passChains, setupChains } from "./setup_firewall.ts";
import { chooseUplink, type Uplink } from "./uplink.ts";

/** The host as it should be. */
export interface Desired {
  readonly wanted: readonly Wanted[];
  readonly network: CniNetwork;
  readonly bridgeMac: string;
  readonly uplink: Uplink;
  /** What should be known, but stops nothing. */
  readonly notes: readonly string[];
  /** What keeps the host from being made ready, with what to do. */
  readonly problems: readonly string[];
  /** What a later run keeps to. */
  readonly choices: Choices;
  /** Kinds that this run cannot judge, or shall not: what is on file of them stays as it is. */
  readonly passedOver: readonly Kind[];
}

/** MTU of an Ethernet link in bytes (RFC 894), where no way out tells another. */
const ETHERNET_MTU = 1500;

/**
 * Works out what is wanted.
 *
 * @param withPackages Whether packages are to be installed.
 * @throws {HpkError} When a name, subnet or uplink cannot be used.
 */
export function desiredState(
  look: HostLook,
  settings: SetupSettings,
  withPackages: boolean,
): Desired {
  const { bridge, name } = settings;
  const uplink = chooseUplink(
    settings.uplink,
    look.links,
    look.routes,
    [bridge, "hpk-bridge"],
    look.hasIpv6,
  );
  checkNames(name, bridge, look.uses);
  const madeBridge = look.uses.some((use) => use.ours && use.bridges.includes(bridge)) ||
    look.journal.entries.some((entry) => keyOf(entry) === keyOf({ kind: "bridge", id: bridge }));
  checkBridge(bridge, look.links, madeBridge);
  const subnet = chooseSubnet(settings.subnet, bridge, look);
  const mtu = settings.mtu ?? uplink.mtu ?? ETHERNET_MTU;
  const { bridgeNetfilter } = look;
  const network: CniNetwork = { name, bridge, subnet, mtu, bridgeNetfilter };
  const notes = [...uplink.notes, ...notesOn(look)];
  const problems: string[] = [];
  const wanted = [
    ...packages(look, withPackages, problems),
    ...modules(look, notes),
    ...kernelSettings(uplink.name),
    ...devices(),
    ...cniNetwork(look, network, notes),
    ...firewall(look, network, uplink.name, settings, problems),
    ...offload(look, network, settings),
    ...ports(look),
    ...unit(look, notes),
  ];
  return {
    wanted: withParents(wanted),
    network,
    bridgeMac: bridgeMac(subnet),
    uplink,
    notes,
    problems,
    choices: { ...settings.chosen, subnet: formatCidr(subnet) },
    passedOver: [
      ...(withPackages ? [] : ["package"] as const),
      ...(look.rulesError === undefined ? [] : ["firewall"] as const),
    ],
  };
}

function packages(look: HostLook, withPackages: boolean, problems: string[]): Wanted[] {
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
          ? `; packages of '${distribution.title}' are not known to host-setup`
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

function modules(look: HostLook, notes: string[]): Wanted[] {
  const group: Group = "kernel modules";
  const states = wantedModules(look.backend).map((module) => ({
    ...module,
    state: moduleState(module.name, look.modules),
  }));
  const unknown = states.filter(({ state }) => state === undefined);
  if (unknown.length > 0) {
    notes.push(
      `whether the kernel has ${unknown.map(({ name }) => name).join(", ")} cannot be seen: ` +
        `its modules are not installed below /lib/modules; --verify shows whether all works`,
    );
  }
  const absent = states.filter(({ state }) => state === "absent");
  if (absent.length > 0) {
    notes.push(`the kernel has no ${absent.map(({ name }) => name).join(", ")}`);
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
      "the modules are loaded at the next boot as well",
    )]),
  ];
}

function kernelSettings(uplink: string | undefined): Wanted[] {
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
    file(group, SYSCTL_PATH, formatSysctls(sysctls), "they are so at the next boot as well"),
  ];
}

function devices(): Wanted[] {
  const group: Group = "files and devices";
  return [
    {
      group,
      kind: "directory",
      id: "/etc/hpktainer",
      value: "directory",
      reason: "config.ini and host.ini lie there",
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

function cniNetwork(look: HostLook, network: CniNetwork, notes: string[]): Wanted[] {
  const group: Group = "network for Apptainer";
  const bridge: Wanted = {
    group,
    kind: "bridge",
    id: network.bridge,
    value: "bridge",
    reason: "containers are its ports",
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

function firewall(
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
      ? `containers reach the world by ${
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

function offload(look: HostLook, { bridge }: CniNetwork, settings: SetupSettings): Wanted[] {
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
  const reason = "what the host sends to containers has its checksum filled in";
  const links = [off(bridge, reason)];
  if (isAll) links.push(off("every veth", "offload = all was chosen"));
  if (look.ethtool === undefined) return links;
  const rule = formatUdevRule(look.ethtool, bridge, isAll);
  return [...links, file(group, UDEV_PATH, rule, "the same for links that come later")];
}

/** Ports of instances that run; those of others are published at their start. */
function ports({ ini, instances }: HostLook): Wanted[] {
  return ini.ports.filter(({ instance }) => instances.includes(instance))
    .map(({ instance, publish }): Wanted => ({
      group: "published ports",
      kind: "port",
      id: `${instance} ${publish}`,
      value: "published",
      reason: `host.ini leads it to the instance ${instance}, which runs`,
    }));
}

function unit(look: HostLook, notes: string[]): Wanted[] {
  const group: Group = "start at boot";
  if (!look.systemd) {
    notes.push(
      "systemd is not here: run 'host-setup --apply --no-packages' at boot by other means",
    );
    return [];
  }
  const reason = "rules and bridge are made again at boot";
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

function notesOn(look: HostLook): string[] {
  const notes: string[] = [];
  if (look.selinux) {
    notes.push("SELinux is enforcing: files are labelled with restorecon where it is installed");
  }
  if (look.firewalld) {
    notes.push(
      "firewalld runs: 'firewall-cmd --reload' flushes rules of iptables, ours and Docker's as well; " +
        "run --apply after it, or set FlushAllOnReload=no in /etc/firewalld/firewalld.conf",
    );
  }
  if (look.ruleSets.length > 1) {
    notes.push(
      `both back ends of iptables have rules: ours are in the one that iptables writes to, and in ` +
        `${look.ruleSets[1]!.id} those that let packets pass`,
    );
  }
  return notes;
}

function file(group: Group, id: string, value: string, reason: string): Wanted {
  return { group, kind: "file", id, value, reason };
}

/** Puts the directories that files lie in before them. */
function withParents(wanted: readonly Wanted[]): Wanted[] {
  const seen = new Set(wanted.map(keyOf));
  const kinds: readonly Kind[] = ["file", "symlink"];
  return wanted.flatMap((want) => {
    if (!kinds.includes(want.kind)) return [want];
    const parents = parentsOf(want.id).filter((id) => {
      const key = keyOf({ kind: "directory", id });
      return !seen.has(key) && seen.add(key);
    });
    return [
      ...parents.map((id): Wanted => ({
        group: want.group,
        kind: "directory",
        id,
        value: "directory",
        reason: `for ${want.id}`,
      })),
      want,
    ];
  });
}

/**
 * Checks that every file that is to be written is ours or not there.
 *
 * @param found The texts by path; null where there is no file.
 * @throws {HpkError} Naming the first that is not ours.
 */
export function checkOwnership(
  found: ReadonlyMap<string, string | null>,
  isOurs: (text: string) => boolean,
): void {
  for (const [path, text] of found) {
    if (text === null || isOurs(text)) continue;
    throw new HpkError({
      what: `cannot write ${path}`,
      why: "a file of that name is there, and it is not ours",
      fix: "move it away, and run host-setup again",
    });
  }
}
