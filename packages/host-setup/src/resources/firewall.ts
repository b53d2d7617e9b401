import { firewallChanges, HpkError, oneLine } from "@hpk/core";
import { runCommand } from "@hpk/core/os";
import { parseChains, presentChains, type RuleSet, SETUP_CHAINS } from "../pure/setup_firewall.ts";
import type { Resource } from "./resource.ts";

/**
 * How long to wait for another program to release the packet filter's lock, in s (iptables(8), -w).
 */
const LOCK_WAIT_S = "10";

/** Our chains, in each packet filter; the value is their rules. */
export function firewallResource(ruleSets: readonly RuleSet[]): Resource {
  const change = async (id: string, wanted: string): Promise<void> => {
    const set = ruleSets.find((one) => one.id === id);
    if (set === undefined) return;
    // Read again, because other programs change rules as well.
    const now = await run(set.save, []);
    const input = firewallChanges(now, parseChains(wanted), SETUP_CHAINS);
    if (input !== "") await run(set.restore, ["--noflush", "-w", LOCK_WAIT_S], input);
  };
  return {
    kind: "firewall",
    inspect: (ids) =>
      ids.map((id) => presentChains(ruleSets.find((set) => set.id === id)?.rules ?? "")),
    apply: ({ id, new: wanted }) => change(id, wanted!),
    async remove({ id, prior }) {
      await change(id, prior ?? "");
      return undefined;
    },
  };
}

async function run(path: string, args: string[], stdin?: string): Promise<string> {
  const result = await runCommand(path, args, stdin === undefined ? {} : { stdin });
  if (result.code === 0) return result.stdout;
  throw new HpkError({
    what: "cannot change the packet filter",
    why: `${path} ended with ${result.code}: ${oneLine(result.stderr)}`,
    fix: "check that the kernel has its modules (nf_tables or ip_tables), and run host-setup again",
  });
}
