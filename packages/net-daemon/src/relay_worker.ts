/// <reference lib="deno.worker" />
/**
 * The relay's thread. Its first message carries the eventfd; the others are orders.
 */

import type { RelayOrder, RelayReport } from "./pure/link_spec.ts";
import { Relay } from "./relay.ts";

const orders: RelayOrder[] = [];
let wakeUp = (): void => {};

function report(message: RelayReport): void {
  self.postMessage(message);
}

/** The next order: it was signalled, and has arrived or is on its way. */
async function nextOrder(): Promise<RelayOrder> {
  while (orders.length === 0) await new Promise<void>((resolve) => wakeUp = resolve);
  return orders.shift()!;
}

async function runRelay(wakeFd: number): Promise<void> {
  using relay = new Relay(wakeFd, {
    log: (id, text) => report({ kind: "log", id, text }),
    ended: (id, reason) => report({ kind: "ended", id, reason }),
  });
  for (;;) {
    for (let count = relay.run(); count > 0; count--) {
      const order = await nextOrder();
      if (order.kind === "stop") return;
      obey(relay, order);
    }
  }
}

function obey(relay: Relay, order: Exclude<RelayOrder, { kind: "stop" }>): void {
  switch (order.kind) {
    case "add":
      relay.add(order.link, new Float64Array(order.counters));
      return;
    case "remove":
      relay.remove(order.id, order.forget);
      report({ kind: "ended", id: order.id, reason: "" });
      return;
    case "measure":
      report({ kind: "measured", heapBytes: Deno.memoryUsage().heapUsed });
      return;
  }
}

self.onmessage = async ({ data: wakeFd }: MessageEvent<number>) => {
  self.onmessage = ({ data }: MessageEvent<RelayOrder>) => {
    orders.push(data);
    wakeUp();
  };
  await runRelay(wakeFd);
  report({ kind: "stopped" });
  self.close();
};
