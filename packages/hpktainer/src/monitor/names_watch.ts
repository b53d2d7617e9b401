import type { ContainerRecord } from "@hpk/core";
import type { Ledger } from "@hpk/core/os";
import type { PeerNames } from "../names/peer_names.ts";
import { recordRepair } from "../shared/events.ts";

/** Pause between two queries to other hosts, in ms. */
const ASK_MS = 5_000;

/** Pause before the start of a name server is retried, in ms. */
const RETRY_MS = 30_000;

/**
 * Keeps container names resolvable, for the monitor: restarts the host's name server when it has
 * ended, queries other hosts for their names, and updates hosts files.
 */
export class NamesWatch {
  readonly #ledger: Ledger;
  #peers: PeerNames | undefined;
  #server: number | undefined;
  #nextStart = -Infinity;
  #nextAsk = -Infinity;
  #asks = false;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The process of the name server, whose end the monitor waits for. */
  get pids(): number[] {
    return this.#server === undefined ? [] : [this.#server];
  }

  /** How long the monitor may sleep, in ms: -1 for no limit. */
  get nextLookMs(): number {
    const now = performance.now();
    const next = [
      ...(this.#asks ? [this.#nextAsk] : []),
      ...(this.#nextStart > now ? [this.#nextStart] : []),
    ];
    return next.length === 0 ? -1 : Math.max(0, Math.ceil(Math.min(...next) - now));
  }

  /** Does what is due. It does not fail: containers must still be taken down. */
  async look(records: readonly ContainerRecord[]): Promise<void> {
    try {
      const host = this.#ledger.readHost();
      const isServed = host?.networks.some(({ nameServer }) => nameServer !== null) ?? false;
      if (isServed && performance.now() >= this.#nextStart) await this.#serve(records);
      if (host !== undefined && isServed && performance.now() >= this.#nextAsk) {
        this.#peers ??= new (await import("../names/peer_names.ts")).PeerNames(this.#ledger);
        this.#asks = await this.#peers.ask(host);
        this.#nextAsk = performance.now() + ASK_MS;
      }
      const readers = records.filter(({ names }) => names === "hosts");
      if (readers.length === 0) return;
      const { refreshHosts } = await import("../names/container_files.ts");
      for (const record of readers) refreshHosts(this.#ledger, record, records);
    } catch {
      this.#nextAsk = performance.now() + ASK_MS;
    }
  }

  async #serve(records: readonly ContainerRecord[]): Promise<void> {
    const { nameServerOf, serveNames } = await import("../names/host_names.ts");
    this.#server = nameServerOf(this.#ledger);
    if (this.#server !== undefined) return;
    // Under the lock, so that it is not stopped with the last container at the same time.
    const result = await this.#ledger.withExisting(() =>
      this.#ledger.isEmpty() ? undefined : serveNames(this.#ledger)
    );
    if (typeof result === "number") {
      this.#server = result;
      // Otherwise a start is about to start it.
      const wasThere = records.some(({ names }) => names === "server");
      if (wasThere) recordRepair("names", "dnsmasq had ended, and was restarted");
    } else this.#nextStart = performance.now() + RETRY_MS;
  }
}
