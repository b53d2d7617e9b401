/**
 * Checksums inside Flannel's VXLAN. Some network cards, and kernels before 5.7 if the outer packet
 * is masqueraded too, compute wrong checksums that the VXLAN interface leaves to them: then pings
 * pass and nothing else does (flannel-io/flannel, issues 1279 and 2152). No property of the host
 * reveals it, so it is tried: no host answers, the kernel computes the checksums itself, and then
 * one does.
 */

import { findFlannelVxlan, type FlannelVxlan } from "./pure/flannel_vxlan.ts";
import type { HostRecord } from "@hpk/core";
import { readTxChecksum, SystemCallError, writeTxChecksum } from "@hpk/core/ffi";
import { faultPoint, type Ledger, readHostFacts } from "@hpk/core/os";

/** The state of the checksums: unknown if no other host answers, or there is none. */
export type ChecksumState = "right" | "repaired" | "unknown";

/**
 * A port where nobody listens (discard, RFC 863): the other host's kernel refuses at once, if the
 * packet is intact.
 */
const PROBE_PORT = 9;

/**
 * How long to wait for an answer, in ms: a round trip, and one segment sent again would take 1 s.
 */
const PROBE_TIMEOUT_MS = 500;

/** Maximum number of hosts to probe. */
const MOST_PEERS = 8;

/** Flannel's VXLAN on this host, if there is one. */
export function readFlannelVxlan(): FlannelVxlan | undefined {
  return findFlannelVxlan(readHostFacts([]));
}

/** Whether any of the other hosts answers by TCP. */
export async function anyAnswers({ peers }: FlannelVxlan): Promise<boolean> {
  const asked = peers.slice(0, MOST_PEERS).map(async (hostname) => {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    try {
      (await Deno.connect({ hostname, port: PROBE_PORT, signal })).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
  });
  return await Promise.any(asked).then(() => true, () => false);
}

/**
 * Checks whether other hosts are reached through Flannel's VXLAN; if not, lets the kernel compute
 * the checksums, and keeps it so if that helps. The change is in the ledger, and undone with the
 * last container.
 */
export async function repairChecksum(ledger: Ledger): Promise<ChecksumState> {
  const vxlan = readFlannelVxlan();
  if (vxlan === undefined || !readTxChecksum(vxlan.link)) return "right";
  if (vxlan.peers.length === 0) return "unknown";
  if (await anyAnswers(vxlan)) return "right";
  const isTried = await change(ledger, (host) => {
    ledger.writeHost({ ...host, mendedChecksum: vxlan.link });
    faultPoint("checksum.recorded");
    writeTxChecksum(vxlan.link, false);
    faultPoint("checksum.off");
  });
  if (!isTried) return "unknown";
  if (await anyAnswers(vxlan)) return "repaired";
  await change(ledger, (host) => {
    restoreChecksum(host);
    ledger.writeHost({ ...host, mendedChecksum: null });
  });
  return "unknown";
}

/** Undoes the change of {@linkcode repairChecksum}; nothing to do if the interface is gone. */
export function restoreChecksum({ mendedChecksum }: HostRecord): void {
  if (mendedChecksum === null) return;
  try {
    writeTxChecksum(mendedChecksum, true);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
  }
}

/** Changes something under the ledger's lock; false if no container is left. */
async function change(ledger: Ledger, act: (host: HostRecord) => void): Promise<boolean> {
  const isDone = await ledger.withExisting(() => {
    const host = ledger.readHost();
    if (host === undefined) return false;
    act(host);
    return true;
  });
  return isDone ?? false;
}
