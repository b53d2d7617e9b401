import type { FlannelEnv } from "@hpk/core";
import type { Ledger } from "@hpk/core/os";
import { type Look, lookAtHost, type LookRequest } from "../network/look_at_host.ts";
import { takeDownEnded } from "./teardown.ts";

/** Looks at the host where the lock is not held, so that what stands in the way may be released. */
export async function lookUnlocked(
  ledger: Ledger,
  request: LookRequest,
  flannel: FlannelEnv | undefined,
): Promise<Look> {
  try {
    return await lookAtHost(ledger, request, flannel);
  } catch (error) {
    // The bridge may still be that of containers that have ended.
    if (!ledger.exists()) throw error;
    await takeDownEnded(ledger);
    return await lookAtHost(ledger, request, flannel);
  }
}
