import {
  type FlannelEnv,
  type HostFacts,
  HpkError,
  parseFlannelEnv,
  type Settings,
} from "@hpk/core";
import { type NetworkPlan, planNetwork, wantedMode } from "./pure/network_plan.ts";
import { type Ledger, readFileIfExists } from "@hpk/core/os";
import type { Look6 } from "./host_network6.ts";

/**
 * Reads Flannel's subnet file, where the settings want Flannel.
 *
 * @return Undefined where they do not.
 * @throws {HpkError} When it is wanted and is not there or cannot be used.
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
 * Plans a container's network against what the host has now.
 *
 * @param ledger Tells which containers exist, where that matters.
 * @throws {HpkError} When it cannot be.
 */
export function planOn(
  { facts, routes6 }: { readonly facts: HostFacts; readonly routes6: Look6["routes"] },
  ledger: Ledger,
  settings: Settings,
  flannel: FlannelEnv | undefined,
  ip: string | undefined,
): NetworkPlan {
  const onBridge = () => ledger.list().filter((record) => record.bridge === settings.bridge);
  return planNetwork({ settings, ip, flannel, facts, routes6, onBridge });
}

/** Looks at the host's IPv6 side; undefined where containers are to have none. */
export async function lookAtIpv6(
  settings: Settings,
  flannel: FlannelEnv | undefined,
): Promise<Look6 | undefined> {
  if (settings.subnet6 === undefined && flannel?.ipv6 === undefined) return undefined;
  const { lookAtHost6 } = await import("./host_network6.ts");
  return await lookAtHost6();
}

/** Names of the links that a plan is about, whether they have an address or not. */
export function linksOf(settings: Settings): string[] {
  return [settings.bridge, ...(settings.uplink === undefined ? [] : [settings.uplink])];
}
