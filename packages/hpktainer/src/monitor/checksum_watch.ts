import type { ContainerRecord } from "@hpk/core";
import type { Ledger } from "@hpk/core/os";

/** Pause between two looks, in ms, while no other host has answered. */
const PAUSE_MS = 60_000;

/**
 * Sees to it, for the monitor, that containers of a Flannel VXLAN reach other hosts: until one has
 * answered it looks again, since a host may be the first of its network to come up.
 */
export class ChecksumWatch {
  readonly #ledger: Ledger;
  #isSettled = false;
  #lastLook = -Infinity;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** How long the monitor may sleep, in ms: -1 for as long as it likes. */
  get nextLookMs(): number {
    return this.#isSettled || this.#lastLook === -Infinity ? -1 : PAUSE_MS;
  }

  /** Looks, where that is due and there is a container of Flannel's network; mends what it can. */
  async look(records: readonly ContainerRecord[]): Promise<void> {
    if (this.#isSettled || performance.now() < this.#lastLook + PAUSE_MS) return;
    if (!records.some(({ mode }) => mode === "flannel")) return;
    this.#lastLook = performance.now();
    const { mendChecksum } = await import("../network/vxlan_checksum.ts");
    try {
      this.#isSettled = await mendChecksum(this.#ledger) !== "unknown";
    } catch {
      // The interface may go in this moment. Containers are taken down all the same.
    }
  }
}
