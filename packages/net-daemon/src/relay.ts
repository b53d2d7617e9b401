/**
 * Theory of operation
 *
 * One thread moves the frames of all sessions; another one handles signals and control. The thread
 * waits for every descriptor at once (epoll, level-triggered) and never blocks elsewhere:
 *
 *      host                                                      container
 *   TAP on the bridge ── Device ──┐              ┌── Device ── TAP in the namespace   (datapath tap)
 *                                 ├─ FrameBatch ─┤
 *   TAP on the bridge ── Device ──┘              └── Device ── UNIX stream ── relay   (datapath relay)
 *
 * When a device is readable, its session's Link reads the available frames into the thread's only
 * batch, checks those for a TAP, and writes them to the other device: a stream takes the batch in
 * one call, a TAP one frame per call. The batch is empty between two turns, so sessions share it,
 * and an idle one costs next to nothing.
 *
 * Throughput depends on the size of a frame: a TAP is opened with virtio headers, and if both ends
 * can handle it, the kernel delivers TCP segments of up to 64 KiB with the checksum left open. Over
 * a stream this changes the format, so it is negotiated by notices (wire_format.ts). When a kernel
 * refuses a segment the device stops accepting them, which switches the other end back (Link,
 * allowOffload).
 *
 * Every queue is bounded: a TAP's queue is the kernel's; a stream has one batch of bytes that the
 * socket did not take, and while that is not empty the other device is not read. If this lasts,
 * incoming frames are read and dropped, so that the peer does not get stale ones when it reads
 * again.
 *
 * Orders arrive as messages; each is followed by a signal of the eventfd in the same epoll set.
 */

import { EPOLLIN, PinnedBuffer, takeEvents } from "@hpk/core/ffi";
import { EpollPoller } from "./poller.ts";
import { BATCH_SIZE, FrameBatch } from "./pure/frame_batch.ts";
import type { LinkSpec } from "./pure/link_spec.ts";
import { Session } from "./session.ts";

/** Events of the relay's sessions. */
export interface RelayEvents {
  readonly log: (id: string, text: string) => void;
  readonly ended: (id: string, reason: string) => void;
}

/** Moves the frames of all sessions on the thread that calls it. */
export class Relay implements Disposable {
  readonly #poller = new EpollPoller();
  readonly #batch: FrameBatch;
  readonly #pinned = new PinnedBuffer(BATCH_SIZE);
  readonly #sessions = new Map<string, Session>();
  /** Those that are waiting for a time. */
  readonly #timed = new Set<string>();
  readonly #events: RelayEvents;
  #orders = 0;

  /** @param wakeFd An eventfd that signals orders. */
  constructor(wakeFd: number, events: RelayEvents) {
    this.#events = events;
    this.#batch = new FrameBatch(this.#pinned.bytes, this.#pinned.address);
    this.#poller.watch(wakeFd, EPOLLIN, () => {
      this.#orders += takeEvents(wakeFd);
    });
  }

  /** Adds a session and takes over its descriptors. */
  add(spec: LinkSpec, counters: Float64Array): void {
    const log = (text: string) => this.#events.log(spec.id, text);
    const onEnd = (reason: string) => {
      this.#sessions.delete(spec.id);
      this.#events.ended(spec.id, reason);
    };
    const needTick = () => {
      this.#timed.add(spec.id);
    };
    const { id } = spec;
    const options = {
      spec,
      poller: this.#poller,
      batch: this.#batch,
      counters,
      log,
      needTick,
      onEnd,
    };
    this.#sessions.set(id, new Session(options));
  }

  /** Ends a session. @param forget Whether to remove persistent TAPs. */
  remove(id: string, forget: boolean): void {
    this.#sessions.get(id)?.close(forget);
    this.#sessions.delete(id);
  }

  /** Moves frames until orders arrive. @return Number of orders. */
  run(): number {
    this.#orders = 0;
    while (this.#orders === 0) this.#poller.poll(this.#tick());
    return this.#orders;
  }

  /** Ends all sessions; persistent TAPs stay. */
  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) session.close(false);
    this.#sessions.clear();
    this.#poller[Symbol.dispose]();
  }

  /** Runs due timers. @return How long to wait for descriptors, in ms; -1 for no timeout. */
  #tick(): number {
    if (this.#timed.size === 0) return -1;
    let due = Infinity;
    for (const id of this.#timed) {
      const next = this.#sessions.get(id)?.tick(performance.now()) ?? Infinity;
      if (next === Infinity) this.#timed.delete(id);
      due = Math.min(due, next);
    }
    if (due === Infinity) return -1;
    return Math.max(0, Math.ceil(due - performance.now()));
  }
}
