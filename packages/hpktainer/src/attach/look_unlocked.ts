import { HpkError } from "@hpk/core";
import type { Ledger } from "@hpk/core/os";
import { type Look, lookAtHost, type LookRequest } from "../network/look_at_host.ts";
import { isOfUse } from "../network/pure/linger.ts";
import { takeDownEnded } from "./teardown.ts";

/**
 * Inspects the host without holding the lock, so that what conflicts may be released: what ended
 * containers still hold, and a shared part that lingers for another network.
 *
 * @param mayClear Whether to release it; otherwise it is an error.
 * @throws {HpkError} When the network cannot be planned.
 */
export async function lookUnlocked(
  ledger: Ledger,
  request: LookRequest,
  mayClear: boolean,
): Promise<Look> {
  try {
    const look = await lookAtHost(ledger, request);
    const host = ledger.isEmpty() ? ledger.readHost() : undefined;
    if (host === undefined || isOfUse(host, look.plan)) return look;
    throw new HpkError({
      what: `cannot use the bridge ${look.plan.bridge}`,
      why: "parts of another network are still there",
      fix: "run 'hpktainer gc'",
    });
  } catch (error) {
    if (!mayClear || !ledger.exists()) throw error;
    await takeDownEnded(ledger, { lingers: false });
    return await lookAtHost(ledger, request);
  }
}
