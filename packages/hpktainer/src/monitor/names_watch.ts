import type { ContainerRecord } from "@hpk/core";
import type { Ledger } from "@hpk/core/os";
import type { PeerNames } from "../names/peer_names.ts";
import { recordRepair } from "../shared/events.ts";

/** Pause between two questions to other hosts, in ms. */
const ASK_MS = 5_000;

/** Pause before a name server that does not start is tried again, in ms. */
const RETRY_MS = 30_000;

/**
 * Sees to it, for the monitor, that names of containers are known: starts the host's name server again
 * when it has ended, asks other hosts for the names that they have, and keeps hosts files current.
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

  /** The process of the name server, whose end the monitor shall wait for. */
  get pids(): number[] {
    return this.#server === undefined ? [] : [this.#server];
  }

  /** How long the monitor may sleep, in ms: -1 for as long as it likes. */
  get nextLookMs(): number {
    const now = performance.now();
    const next = [
      ...(this.#asks ? [this.#nextAsk] : []),
      ...(this.#nextStart > now ? [this.#nextStart] : []),
    ];
    return next.length === 0 ? -1 : Math.max(0, Math.ceil(Math.min(...next) - now));
  }

  /** Does what is due. Whatever fails, containers are taken down all the same. */
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
    // Under the lock, so that it is not ended with the last container in this moment.
    const result = await this.#ledger.withExisting(() =>
      this.#ledger.isEmpty() ? undefined : serveNames(this.#ledger)
    );
    if (typeof result === "number") {
      this.#server = result;
      // Otherwise it is a start that is on the way to start it.
      const wasThere = records.some(({ names }) => names === "server");
      if (wasThere) recordRepair("names", "dnsmasq had ended, and is started again");
    } else this.#nextStart = performance.now() + RETRY_MS;
  }
}
