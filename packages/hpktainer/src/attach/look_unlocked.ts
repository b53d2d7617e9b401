import { HpkError } from "@hpk/core";
import type { Ledger } from "@hpk/core/os";
import { type Look, lookAtHost, type LookRequest } from "../network/look_at_host.ts";
import { isOfUse } from "../network/pure/linger.ts";
import { takeDownEnded } from "./teardown.ts";

/**
 * Looks at the host where the lock is not held, so that what stands in the way may be released: what
 * containers that have ended still hold, and a shared part that stays for a container of another network.
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
      why: "what is left of another network is still there",
      fix: "run 'hpktainer gc'",
    });
  } catch (error) {
    if (!mayClear || !ledger.exists()) throw error;
    await takeDownEnded(ledger, { lingers: false });
    return await lookAtHost(ledger, request);
  }
}
