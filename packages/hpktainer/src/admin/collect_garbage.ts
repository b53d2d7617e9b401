import { requireRoot } from "@hpk/core";
import { faultPoint, Ledger, saveRules } from "@hpk/core/os";
import { applyFirewall, recordFirewallRepair } from "../network/chains.ts";
import { sweepImages } from "../images/sweep_store.ts";
import type { GarbageReport } from "./pure/garbage_report.ts";
import type { RepairedPart } from "../shared/pure/event.ts";
import { ensureMonitor } from "../attach/monitor_start.ts";
import type { Caller } from "../shared/pure/caller.ts";
import { sweepContainers } from "../containers/take_down.ts";
import { isAbandoned, takeDownEnded } from "../attach/teardown.ts";

/**
 * Cleans up after dead owners, waits for what the monitor is cleaning up, and ensures that live
 * containers have a monitor and their packet filter rules. Then removes what no image needs from
 * the store of images.
 *
 * @param dryRun Only reports what would be cleaned up.
 * @throws {HpkError} When there is something to change and we are not root.
 */
export async function collectGarbage(caller: Caller, dryRun: boolean): Promise<GarbageReport> {
  const report = await collectContainers(caller, dryRun);
  // Only root may read the stores.
  if (caller.uid !== 0) return report;
  const swept = sweepContainers(dryRun).map(({ runtime, id }) => ({
    id,
    name: id,
    resources: [{ kind: "container" as const, runtime, id }],
    errors: [],
  }));
  return {
    ...report,
    reclaimed: [...report.reclaimed, ...swept],
    images: sweepImages(dryRun),
  };
}

async function collectContainers(caller: Caller, dryRun: boolean): Promise<GarbageReport> {
  const ledger = new Ledger();
  const nothing = {
    version: 1,
    dryRun,
    reclaimed: [],
    errors: [],
    images: [],
    unused: [],
    repaired: [],
  } as const;
  if (!ledger.exists()) return nothing;
  const unused = ledger.isEmpty() ? bridgesOf(ledger) : [];
  if (dryRun) {
    const reclaimed = ledger.list().filter(isAbandoned)
      .map(({ id, name, resources }) => ({ id, name, resources, errors: [] }));
    return { ...nothing, reclaimed, unused };
  }
  const fix = "run it with sudo, or add --dry-run to only report";
  requireRoot(caller, "cannot clean up", fix);
  const { reclaimed, hostErrors, empty } = await takeDownEnded(ledger, { lingers: false });
  const repaired = empty ? [] : await watchOverRest(ledger);
  return {
    ...nothing,
    reclaimed: reclaimed.map(({ record: { id, name, resources }, errors }) => ({
      id,
      name,
      resources,
      errors,
    })),
    errors: hostErrors,
    unused: empty ? unused : [],
    repaired,
  };
}

/** The bridge of the shared part, if there is one. */
function bridgesOf(ledger: Ledger): string[] {
  const host = ledger.readHost();
  return host === undefined ? [] : [host.bridge];
}

/** Ensures that live containers have what they need. @return What was repaired. */
async function watchOverRest(ledger: Ledger): Promise<RepairedPart[]> {
  const repaired: RepairedPart[] = [];
  await ledger.withExisting(async () => {
    if (ledger.isEmpty()) return;
    if (await ensureMonitor(ledger)) repaired.push("monitor");
    // Rules that another program has removed, or that a killed change of ports has not written.
    if (ledger.readHost() !== undefined && await applyFirewall(ledger, await saveRules())) {
      recordFirewallRepair();
      repaired.push("firewall");
    }
    faultPoint("gc.firewall");
  });
  return repaired;
}
