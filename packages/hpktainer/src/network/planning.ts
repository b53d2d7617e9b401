import {
  type FlannelEnv,
  type HostFacts,
  HpkError,
  parseCidr,
  parseFlannelEnv,
  parseIpv4,
  type Settings,
} from "@hpk/core";
import { type NetworkPlan, planNetwork, wantedMode } from "./pure/network_plan.ts";
import { type ChosenNetwork, decideNetwork, takenRanges } from "./pure/network_choice.ts";
import {
  isAlive,
  type Ledger,
  readAllRoutes,
  readAutomaticNetwork,
  readFileIfExists,
} from "@hpk/core/os";
import { readHostResolver } from "../names/host_resolver.ts";
import type { Look6 } from "./host_network6.ts";

/**
 * Chooses the network by the settings and the host's present state.
 *
 * @throws {HpkError} When no network can be chosen.
 */
export function chooseOn(facts: HostFacts, ledger: Ledger, settings: Settings): ChosenNetwork {
  const host = wantedMode(settings) === "auto" ? ledger.readHost() : undefined;
  const automatic = host?.automatic ?? undefined;
  const hasFile = hasSubnetFile(settings);
  const onBridge = () =>
    ledger.list().filter(({ bridge, phase, owner }) =>
      bridge === settings.bridge && phase !== "stopping" && isAlive(owner)
    );
  const isUsed = automatic !== undefined && host!.bridge === settings.bridge && !ledger.isEmpty() &&
    // Live containers are read only if the network would differ otherwise.
    (!hasFile || onBridge().some(({ subnet }) => subnet === automatic));
  return decideNetwork({
    settings,
    inForce: isUsed ? parseCidr(automatic) : undefined,
    hasSubnetFile: hasFile,
    onBridge,
    // A flanneld started while the shared part lingers is detected by its file.
    runsFlanneld: () => host === undefined && runsFlanneld(),
    remembered: readAutomaticNetwork,
    taken: () => {
      const { servers } = readHostResolver();
      const known = servers.flatMap((server) => parseIpv4(server) ?? []);
      return takenRanges(facts, readAllRoutes(), known, settings.bridge);
    },
  });
}

/** Whether flanneld's subnet file exists. */
export function hasSubnetFile({ flannelEnv }: Settings): boolean {
  return readFileIfExists(flannelEnv) !== undefined;
}

/** Whether root runs a flanneld in this network namespace. */
function runsFlanneld(): boolean {
  const own = Deno.statSync("/proc/self/ns/net").ino;
  return [...Deno.readDirSync("/proc")].some(({ name }) => {
    try {
      return /^[0-9]/.test(name) && Deno.readTextFileSync(`/proc/${name}/comm`) === "flanneld\n" &&
        Deno.statSync(`/proc/${name}`).uid === 0 &&
        Deno.statSync(`/proc/${name}/ns/net`).ino === own;
    } catch {
      // It has ended, or only root may read it.
      return false;
    }
  });
}

/**
 * Reads Flannel's subnet file, if the settings require Flannel.
 *
 * @return Undefined if they do not.
 * @throws {HpkError} When it is required and is missing or invalid.
 */
export function readFlannel(settings: Settings): FlannelEnv | undefined {
  if (wantedMode(settings) !== "flannel") return undefined;
  const text = readFileIfExists(settings.flannelEnv);
  if (text === undefined) {
    throw new HpkError({
      what: "cannot give the container an address",
      why: `${settings.flannelEnv} does not exist${
        settings.wait > 0 ? ` after ${settings.wait} s` : ""
      }, so Flannel is not running`,
      fix:
        "start flanneld (--wait SECONDS waits for it), or use a static network with --subnet CIDR",
    });
  }
  return parseFlannelEnv(text, settings.flannelEnv);
}

/**
 * Plans a container's network against the host's present state.
 *
 * @param ledger Read for existing containers, if that matters.
 * @param settings Settings that include the choice.
 * @param isAutomatic Whether hpktainer chose the subnet.
 * @throws {HpkError} When that is impossible.
 */
export function planOn(
  { facts, routes6 }: { readonly facts: HostFacts; readonly routes6: Look6["routes"] },
  ledger: Ledger,
  settings: Settings,
  flannel: FlannelEnv | undefined,
  ip: string | undefined,
  isAutomatic: boolean,
): NetworkPlan {
  const onBridge = () => ledger.list().filter((record) => record.bridge === settings.bridge);
  return planNetwork({ settings, ip, flannel, facts, routes6, onBridge, isAutomatic });
}

/** Reads the host's IPv6 state; undefined if containers do not get IPv6. */
export async function lookAtIpv6(
  settings: Settings,
  flannel: FlannelEnv | undefined,
): Promise<Look6 | undefined> {
  if (settings.subnet6 === undefined && flannel?.ipv6 === undefined) return undefined;
  const { lookAtHost6 } = await import("./host_network6.ts");
  return await lookAtHost6();
}

/** Names of the links that a plan concerns, with or without an address. */
export function linksOf(settings: Settings): string[] {
  return [settings.bridge, ...(settings.uplink === undefined ? [] : [settings.uplink])];
}
