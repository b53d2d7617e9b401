import { FileDescriptor, openEventCounter, signalEvent } from "@hpk/core/ffi";
import { COUNTERS_BYTES } from "./pure/counters.ts";
import type { LinkSpec, RelayOrder, RelayReport } from "./pure/link_spec.ts";

/** The relay thread's events about sessions. */
export interface ThreadEvents {
  readonly log: (id: string, text: string) => void;
  /** @param reason Empty when it was removed as ordered. */
  readonly ended: (id: string, reason: string) => void;
  /** The thread has died of a bug; no frame flows any more. */
  readonly died: (message: string) => void;
}

/** The relay's thread, as the main thread sees it. */
export class RelayThread {
  readonly #worker: Worker;
  readonly #wake: FileDescriptor = openEventCounter();
  readonly #events: ThreadEvents;
  readonly #stopped = Promise.withResolvers<void>();
  #measured: ((heapBytes: number) => void)[] = [];

  constructor(events: ThreadEvents) {
    this.#events = events;
    this.#worker = new Worker(new URL("./relay_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<RelayReport>) => this.#onReport(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      events.died(event.message);
    };
    this.#worker.postMessage(this.#wake.fd);
  }

  /** Starts a session; the thread takes over its descriptors. @return Its live counters. */
  add(link: LinkSpec): Float64Array {
    const counters = new SharedArrayBuffer(COUNTERS_BYTES);
    this.#order({ kind: "add", link, counters });
    return new Float64Array(counters);
  }

  /** Ends a session; `ended` is called when it is over. */
  remove(id: string, forget: boolean): void {
    this.#order({ kind: "remove", id, forget });
  }

  /** Bytes in use of the thread's heap. */
  measureHeap(): Promise<number> {
    return new Promise((resolve) => {
      this.#measured.push(resolve);
      this.#order({ kind: "measure" });
    });
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    this.#order({ kind: "stop" });
    await this.#stopped.promise;
    this.#worker.terminate();
    this.#wake.close();
  }

  #order(order: RelayOrder): void {
    this.#worker.postMessage(order);
    signalEvent(this.#wake.fd);
  }

  #onReport(report: RelayReport): void {
    if (report.kind === "log") this.#events.log(report.id, report.text);
    else if (report.kind === "ended") this.#events.ended(report.id, report.reason);
    else if (report.kind === "stopped") this.#stopped.resolve();
    else {
      this.#measured.forEach((resolve) => resolve(report.heapBytes));
      this.#measured = [];
    }
  }
}
