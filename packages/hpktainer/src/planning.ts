import {
  type FlannelEnv,
  type HostFacts,
  HpkError,
  type NetworkPlan,
  parseFlannelEnv,
  planNetwork,
  type Settings,
  wantedMode,
} from "@hpk/core";
import { type Ledger, readFileIfExists } from "@hpk/core/os";

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
  facts: HostFacts,
  ledger: Ledger,
  settings: Settings,
  flannel: FlannelEnv | undefined,
  ip: string | undefined,
): NetworkPlan {
  const bridgeInUse = () => ledger.list().some((record) => record.bridge === settings.bridge);
  return planNetwork({ settings, ip, flannel, facts, bridgeInUse });
}

/** Names of the links that a plan is about, whether they have an address or not. */
export function linksOf(settings: Settings): string[] {
  return [settings.bridge, ...(settings.uplink === undefined ? [] : [settings.uplink])];
}
