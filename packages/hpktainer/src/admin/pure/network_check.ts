import { formatCidr, formatCidr6, formatIpv4, type SettingSource } from "@hpk/core";
import type { ChosenNetwork } from "../../network/pure/network_choice.ts";
import type { NetworkPlan } from "../../network/pure/network_plan.ts";
import type { Check } from "./doctor_report.ts";

/**
 * Reports which network containers get, and why.
 *
 * @param sources Where the settings came from.
 * @param isPassedOver Whether Flannel is present but its network is not the one in use.
 */
export function networkCheck(
  plan: NetworkPlan,
  choice: ChosenNetwork,
  sources: readonly SettingSource[],
  isPassedOver: boolean,
): Check {
  const ipv6 = plan.ipv6 === undefined ? "" : `, IPv6 ${formatCidr6(plan.ipv6.subnet)}`;
  const address = `${formatIpv4(plan.gateway)} on ${plan.bridge}`;
  const why = choice.why || originOf(sources);
  const found = `${plan.mode} ${
    formatCidr(plan.subnet)
  }, gateway ${address}, MTU ${plan.mtu}${ipv6} (${why})`;
  return isPassedOver
    ? {
      id: "network",
      status: "warn",
      found: `${found}; Flannel has been set up since`,
      fix: "stop the containers (hpktainer ps), and the next start uses Flannel's network",
    }
    : { id: "network", status: "ok", found, fix: "" };
}

/** The setting that decides which network is used. */
function originOf(sources: readonly SettingSource[]): string {
  const set = (["network", "subnet", "wait"] as const)
    .map((key) => sources.find((source) => source.key === key))
    .find((source) =>
      source !== undefined && source.origin !== "default" && source.value !== "auto"
    );
  return set === undefined ? "by the settings" : `${set.key} is set: ${set.origin}`;
}
