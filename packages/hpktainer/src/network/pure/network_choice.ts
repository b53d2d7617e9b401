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

/** The network that containers get. */
export interface ChosenNetwork {
  readonly mode: "flannel" | "static";
  /** The chosen subnet of a static network; undefined if the settings decide. */
  readonly subnet: Cidr | undefined;
  /** Whether hpktainer chose the subnet. */
  readonly isAutomatic: boolean;
  /** Why it was chosen, as a clause; empty if the settings decide. */
  readonly why: string;
  /** A notice that the subnet differs from before, as a sentence; else undefined. */
  readonly change: string | undefined;
}

/** A range of addresses in use. */
export interface Taken {
  readonly cidr: Cidr;
  /** The user of the range, for messages: "eth0 (192.0.2.10/24)". */
  readonly by: string;
}

/**
 * What the choice depends on; functions are called only if the result matters, as they take time.
 */
export interface ChoiceInputs {
  readonly settings: Settings;
  /** The subnet that hpktainer chose and that containers use. */
  readonly inForce: Cidr | undefined;
  /** Whether flanneld's subnet file exists. */
  readonly hasSubnetFile: boolean;
  /** Containers on the bridge. */
  readonly onBridge: () => readonly Pick<ContainerRecord, "mode" | "subnet">[];
  /** Whether flanneld runs. */
  readonly runsFlanneld: () => boolean;
  /** The subnet that hpktainer chose last. */
  readonly remembered: () => Cidr | undefined;
  readonly taken: () => readonly Taken[];
}

/**
 * Chooses the network: that of the settings; else, while containers run, theirs; else Flannel's, if
 * it exists; else a subnet that nothing on the host uses, if possible the same as last time.
 *
 * @throws {HpkError} When Flannel is still starting, or no subnet is free.
 */
export function decideNetwork(inputs: ChoiceInputs): ChosenNetwork {
  const { settings, inForce, hasSubnetFile } = inputs;
  const wanted = wantedMode(settings);
  if (wanted !== "auto") return choice(wanted === "flannel" ? "flannel" : "static", undefined, "");
  const running = "containers use it";
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
    return { ...choice("static", remembered, "as last time"), isAutomatic: true };
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
 * The ranges of the host that a subnet for containers must avoid.
 *
 * @param routes Routes of all tables.
 * @param servers The host's DNS servers, which containers must be able to reach.
 * @param bridge Name of our bridge, which does not conflict.
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

/** The settings with the choice applied, as if it had been set. */
export function withChoice(settings: Settings, { mode, subnet }: ChosenNetwork): Settings {
  return {
    ...settings,
    network: mode,
    subnet: subnet === undefined ? settings.subnet : formatCidr(subnet),
  };
}
