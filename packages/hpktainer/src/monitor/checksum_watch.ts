import type { ContainerRecord } from "@hpk/core";
import type { Ledger } from "@hpk/core/os";

/** Pause between two checks, in ms, while no other host has answered. */
const PAUSE_MS = 60_000;

/**
 * Ensures, for the monitor, that containers in a Flannel VXLAN reach other hosts: it checks until
 * one has answered, since a host may be the first of its network to come up.
 */
export class ChecksumWatch {
  readonly #ledger: Ledger;
  #isSettled = false;
  #lastLook = -Infinity;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** How long the monitor may sleep, in ms: -1 for no limit. */
  get nextLookMs(): number {
    return this.#isSettled || this.#lastLook === -Infinity ? -1 : PAUSE_MS;
  }

  /** Checks, if due and a container uses Flannel's network, and repairs what it can. */
  async look(records: readonly ContainerRecord[]): Promise<void> {
    if (this.#isSettled || performance.now() < this.#lastLook + PAUSE_MS) return;
    if (!records.some(({ mode }) => mode === "flannel")) return;
    this.#lastLook = performance.now();
    const { repairChecksum } = await import("../network/vxlan_checksum.ts");
    try {
      this.#isSettled = await repairChecksum(this.#ledger) !== "unknown";
    } catch {
      // The interface may just have been removed. Containers must still be taken down.
    }
  }
}
