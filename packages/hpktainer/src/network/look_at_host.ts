/** What a start inspects before it changes anything. */

import type { HostFacts, Settings } from "@hpk/core";
import type { NetworkPlan } from "./pure/network_plan.ts";
import { type Ledger, readHostFacts, saveRules } from "@hpk/core/os";
import type { Look6 } from "./host_network6.ts";
import { chooseOn, linksOf, lookAtIpv6, planOn, readFlannel } from "./planning.ts";
import { type ChosenNetwork, withChoice } from "./pure/network_choice.ts";

/** The part of a request that concerns the plan. */
export interface LookRequest {
  readonly settings: Settings;
  /** The requested address, as text. */
  readonly ip: string | undefined;
}

/** The host's present state, and the plan for it. */
export interface Look {
  readonly facts: HostFacts;
  /** The chosen network, and why. */
  readonly choice: ChosenNetwork;
  readonly plan: NetworkPlan;
  /** The packet filter, being read. */
  readonly rules: Promise<string>;
  /** The host's IPv6 state; undefined if IPv6 is not wanted. */
  readonly ipv6: Look6 | undefined;
}

/** Inspects the host and plans, before anything is changed. */
export async function lookAtHost(
  ledger: Ledger,
  { settings: asked, ip }: LookRequest,
): Promise<Look> {
  const rules = saveRules();
  // Awaited last; a failure before that must not count as unhandled.
  rules.catch(() => {});
  try {
    const facts = readHostFacts(linksOf(asked));
    const choice = chooseOn(facts, ledger, asked);
    const settings = withChoice(asked, choice);
    const flannel = readFlannel(settings);
    const ipv6 = await lookAtIpv6(settings, flannel);
    const seen = { facts, routes6: ipv6?.routes };
    const plan = planOn(seen, ledger, settings, flannel, ip, choice.isAutomatic);
    return { facts, choice, plan, rules, ipv6 };
  } catch (error) {
    await hasCome(rules);
    throw error;
  }
}

/** Waits for the packet filter's program to end: otherwise the program that this process becomes would
 * have it as a child. */
export async function hasCome(rules: Promise<string>): Promise<void> {
  await Promise.allSettled([rules]);
}
