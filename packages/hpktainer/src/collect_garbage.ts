import { HpkError } from "@hpk/core";
import { faultPoint, Ledger, saveRules } from "@hpk/core/os";
import { applyFirewall } from "./host_network.ts";
import { sweepImages } from "./oci/sweep_store.ts";
import type { GarbageReport } from "./pure/garbage_report.ts";
import { ensureMonitor } from "./monitor_start.ts";
import { sweepRuntimes } from "./runtime.ts";
import { isAbandoned, takeDownEnded } from "./teardown.ts";

/**
 * Takes down what dead owners left, waits for what the monitor is taking down, and sees to it that
 * the living have a monitor and their rules in the packet filter. Then it clears the store of images of what nothing needs.
 *
 * @param dryRun Only tells what would be taken down.
 * @throws {HpkError} When it would change something and we are not root.
 */
export async function collectGarbage(dryRun: boolean): Promise<GarbageReport> {
  const report = await collectContainers(dryRun);
  // Only root may look into the stores.
  if (Deno.uid() !== 0) return report;
  const swept = (await sweepRuntimes(dryRun)).map(({ runtime, id }) => ({
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

async function collectContainers(dryRun: boolean): Promise<GarbageReport> {
  const ledger = new Ledger();
  if (!ledger.exists()) return { version: 1, dryRun, reclaimed: [], errors: [], images: [] };
  if (dryRun) {
    const reclaimed = ledger.list().filter(isAbandoned)
      .map(({ id, name, resources }) => ({ id, name, resources, errors: [] }));
    return { version: 1, dryRun, reclaimed, errors: [], images: [] };
  }
  const uid = Deno.uid();
  if (uid !== 0) {
    throw new HpkError({
      what: "cannot take down what is left",
      why: `that takes root, and you are uid ${uid}`,
      fix: "run it with sudo, or add --dry-run to look only",
    });
  }
  const { reclaimed, hostErrors, empty } = await takeDownEnded(ledger);
  if (!empty) await watchOverRest(ledger);
  return {
    version: 1,
    dryRun,
    reclaimed: reclaimed.map(({ record: { id, name, resources }, errors }) => ({
      id,
      name,
      resources,
      errors,
    })),
    errors: hostErrors,
    images: [],
  };
}

async function watchOverRest(ledger: Ledger): Promise<void> {
  const isWatched = await ledger.withLock(async () => {
    if (ledger.isEmpty()) return false;
    await ensureMonitor(ledger);
    // What another program has wiped out, or a killed change of ports has left undone.
    if (ledger.readHost() !== undefined) await applyFirewall(ledger, await saveRules());
    faultPoint("gc.firewall");
    return true;
  });
  // The last container may have ended meanwhile: then the lock has made a ledger of nothing.
  if (!isWatched) await takeDownEnded(ledger);
}
