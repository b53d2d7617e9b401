/** What a start looks at before it changes anything. */

import type { HostFacts, Settings } from "@hpk/core";
import type { NetworkPlan } from "./pure/network_plan.ts";
import { type Ledger, readHostFacts, saveRules } from "@hpk/core/os";
import type { Look6 } from "./host_network6.ts";
import { chooseOn, linksOf, lookAtIpv6, planOn, readFlannel } from "./planning.ts";
import { type ChosenNetwork, withChoice } from "./pure/network_choice.ts";

/** What is asked for, as far as the plan goes. */
export interface LookRequest {
  readonly settings: Settings;
  /** The address asked for, as text. */
  readonly ip: string | undefined;
}

/** The host as it is, and what is planned on it. */
export interface Look {
  readonly facts: HostFacts;
  /** Which network it is, and why. */
  readonly choice: ChosenNetwork;
  readonly plan: NetworkPlan;
  /** The packet filter, on its way. */
  readonly rules: Promise<string>;
  /** The host's IPv6 side; undefined where none is wanted. */
  readonly ipv6: Look6 | undefined;
}

/** Looks at the host and plans, before anything is changed. */
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

/** Waits for the packet filter's program to end: it would stay with whatever this process becomes. */
export async function hasCome(rules: Promise<string>): Promise<void> {
  await Promise.allSettled([rules]);
}
