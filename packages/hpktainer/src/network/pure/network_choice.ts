/** Which network containers get, and why. */

import {
  AUTOMATIC_SUBNETS,
  type Cidr,
  type ContainerRecord,
  formatCidr,
  type HostFacts,
  HpkError,
  type Ipv4,
  overlaps,
  parseCidr,
  type Route,
  type Settings,
} from "@hpk/core";
import { describeLinkAddress } from "@hpk/core";
import { APPTAINER_BRIDGE_SUBNET, isNetwork, wantedMode } from "./network_plan.ts";

/** The network that containers are to get. */
export interface ChosenNetwork {
  readonly mode: "flannel" | "static";
  /** The subnet of a static network; undefined where the settings name it, or do not. */
  readonly subnet: Cidr | undefined;
  /** Whether the subnet was chosen by us. */
  readonly isAutomatic: boolean;
  /** Why it is this one, as a clause; empty where the settings say so. */
  readonly why: string;
  /** What users should know of a subnet that is another than before, as a sentence; else undefined. */
  readonly change: string | undefined;
}

/** A range of addresses that someone uses. */
export interface Taken {
  readonly cidr: Cidr;
  /** Who, for messages: "eth0 (192.0.2.10/24)". */
  readonly by: string;
}

/** What the choice depends on; what takes time to find out is asked for only where it matters. */
export interface ChoiceInputs {
  readonly settings: Settings;
  /** The subnet that we chose and that containers are on. */
  readonly inForce: Cidr | undefined;
  /** Whether flanneld's subnet file is there. */
  readonly hasSubnetFile: boolean;
  /** Containers on the bridge. */
  readonly onBridge: () => readonly Pick<ContainerRecord, "mode" | "subnet">[];
  /** Whether flanneld runs. */
  readonly runsFlanneld: () => boolean;
  /** The subnet that we chose last. */
  readonly remembered: () => Cidr | undefined;
  readonly taken: () => readonly Taken[];
}

/**
 * Chooses the network: what the settings say; else, as long as containers run, theirs; else Flannel's,
 * where there is one; else a subnet that nothing on the host uses, the same as the last time if it can be.
 *
 * @throws {HpkError} When Flannel is on its way, or no subnet is free.
 */
export function decideNetwork(inputs: ChoiceInputs): ChosenNetwork {
  const { settings, inForce, hasSubnetFile } = inputs;
  const wanted = wantedMode(settings);
  if (wanted !== "auto") return choice(wanted === "flannel" ? "flannel" : "static", undefined, "");
  const running = "containers run on it";
  if (inForce !== undefined) {
    return { ...choice("static", inForce, running), isAutomatic: true };
  }
  if (hasSubnetFile) return choice("flannel", undefined, `${settings.flannelEnv} exists`);
  const [other] = inputs.onBridge();
  if (other?.mode === "flannel") return choice("flannel", undefined, running);
  if (other?.mode === "static") return choice("static", parseCidr(other.subnet), running);
  if (inputs.runsFlanneld()) {
    throw new HpkError({
      what: "cannot give the container an address",
      why: `flanneld runs, and has not written ${settings.flannelEnv} yet`,
      fix: "wait for it with --wait SECONDS, or use a static network with --subnet CIDR",
    });
  }
  return chooseSubnet(inputs.remembered(), inputs.taken());
}

function choice(mode: "flannel" | "static", subnet: Cidr | undefined, why: string): ChosenNetwork {
  return { mode, subnet, isAutomatic: false, why, change: undefined };
}

function chooseSubnet(remembered: Cidr | undefined, taken: readonly Taken[]): ChosenNetwork {
  const inTheWay = (subnet: Cidr) => taken.find(({ cidr }) => overlaps(cidr, subnet));
  const describe = (subnet: Cidr) => `${formatCidr(subnet)} overlaps ${inTheWay(subnet)!.by}`;
  if (remembered !== undefined && inTheWay(remembered) === undefined) {
    return { ...choice("static", remembered, "as the last time"), isAutomatic: true };
  }
  const free = AUTOMATIC_SUBNETS.find((subnet) => inTheWay(subnet) === undefined);
  if (free === undefined) {
    throw new HpkError({
      what: "cannot choose a subnet for containers",
      why: AUTOMATIC_SUBNETS.map(describe).join(", "),
      fix: "name one that nothing on this host uses, with --subnet CIDR",
    });
  }
  return {
    ...choice("static", free, "the first subnet of the list that nothing on this host uses"),
    isAutomatic: true,
    change: remembered &&
      `containers are on ${formatCidr(free)} from now on: ${describe(remembered)}`,
  };
}

/**
 * What of the host a subnet for containers must keep clear of.
 *
 * @param routes Of all tables.
 * @param servers The host's DNS servers, which containers would take for one of them.
 * @param bridge Name of our bridge, which is not in the way.
 */
export function takenRanges(
  { links }: Pick<HostFacts, "links">,
  routes: readonly Route[],
  servers: readonly Ipv4[],
  bridge: string,
): Taken[] {
  return [
    { cidr: APPTAINER_BRIDGE_SUBNET, by: "Apptainer's own bridge network" },
    ...links.filter(({ name }) => name !== bridge).flatMap((link) =>
      link.addresses.map((address) => ({
        cidr: address.cidr,
        by: describeLinkAddress(link, address),
      }))
    ),
    ...routes.filter((route) => route.device !== bridge && isNetwork(route)).map((
      { destination, device },
    ) => ({
      cidr: destination,
      by: `the route to ${formatCidr(destination)} by ${device ?? "no device"}`,
    })),
    ...servers.map((network) => ({
      cidr: { network, prefix: 32 },
      by: `the DNS server ${formatCidr({ network, prefix: 32 })}`,
    })),
  ];
}

/** The settings with what was chosen in them, as if it had been set. */
export function withChoice(settings: Settings, { mode, subnet }: ChosenNetwork): Settings {
  return {
    ...settings,
    network: mode,
    subnet: subnet === undefined ? settings.subnet : formatCidr(subnet),
  };
}
