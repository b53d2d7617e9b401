/** The wanted state of the host: every thing, with its reason. */

import { formatCidr, HpkError } from "@hpk/core";
import {
  bridgeMac,
  checkBridge,
  checkNames,
  chooseSubnet,
  type CniNetwork,
} from "./cni_network.ts";
import type { Choices, SetupSettings } from "./choices.ts";
import type { HostLook } from "./host_look.ts";
import { keyOf, type Kind, type Wanted } from "./item.ts";
import { parentsOf } from "./own_files.ts";
import { chooseUplink, type Uplink } from "./uplink.ts";
import {
  cniNetwork,
  devices,
  firewall,
  kernelSettings,
  modules,
  networkSetting,
  notesOn,
  offload,
  packages,
  ports,
  unit,
} from "./wanted_things.ts";

/** The wanted state of the host. */
export interface Desired {
  readonly wanted: readonly Wanted[];
  readonly network: CniNetwork;
  readonly bridgeMac: string;
  readonly uplink: Uplink;
  /** Notes that stop nothing. */
  readonly notes: readonly string[];
  /** Problems that keep the host from being ready, with what to do. */
  readonly problems: readonly string[];
  /** Choices that later runs keep. */
  readonly choices: Choices;
  /** Kinds that this run cannot or should not judge: their recorded entries stay as they are. */
  readonly passedOver: readonly Kind[];
}

/** MTU of an Ethernet link in bytes (RFC 894), if no uplink gives another. */
const ETHERNET_MTU = 1500;

/**
 * Works out the wanted state.
 *
 * @param withPackages Whether to install packages.
 * @throws {HpkError} If a name, subnet or uplink cannot be used.
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
    ...networkSetting(look, notes),
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

/** Inserts the directories of files before them. */
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
 * Checks that every file to write is ours or does not exist.
 *
 * @param found The texts by path; null if there is no file.
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
      why: "a file of that name exists, and host-setup did not write it",
      fix: "move it away, and run host-setup again",
    });
  }
}
