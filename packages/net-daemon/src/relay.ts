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
 * When a device is readable, its session's Link reads as many frames as there are into the one batch
 * of the thread, checks those that go to a TAP, and writes them to the other device: a stream takes
 * the batch in one call, a TAP one frame a call. The batch is empty between two turns, so sessions
 * share it, and an idle one costs next to nothing.
 *
 * Speed comes from the size of a frame: a TAP is opened with virtio headers, and where both ends can,
 * the kernel hands over TCP segments of up to 64 KiB with the checksum left open. Over a stream that
 * changes the format, so it is agreed on by notices (wire_format.ts). When a kernel refuses a segment
 * the device stops accepting them, which switches the other end back (Link, allowOffload).
 *
 * Nothing is queued without bound: a TAP's queue is the kernel's; a stream has one batch of bytes
 * that the socket did not take, and while it is not empty the other device is not read. If that
 * lasts, what comes is read and dropped, so that it is not stale when the peer reads again.
 *
 * Orders come by messages; each is followed by a signal of the eventfd that is in the same epoll set.
 */

import { EPOLLIN, PinnedBuffer, takeEvents } from "@hpk/core/ffi";
import { EpollPoller } from "./poller.ts";
import { BATCH_SIZE, FrameBatch } from "./pure/frame_batch.ts";
import type { LinkSpec } from "./pure/link_spec.ts";
import { Session } from "./session.ts";

/** What the relay tells of its sessions. */
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

  /** @param wakeFd An eventfd that tells of orders. */
  constructor(wakeFd: number, events: RelayEvents) {
    this.#events = events;
    this.#batch = new FrameBatch(this.#pinned.bytes, this.#pinned.address);
    this.#poller.watch(wakeFd, EPOLLIN, () => {
      this.#orders += takeEvents(wakeFd);
    });
  }

  /** Adds a session; its descriptors become the relay's. */
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

  /** Ends a session. @param forget Whether TAPs that stay when they are closed are to go. */
  remove(id: string, forget: boolean): void {
    this.#sessions.get(id)?.close(forget);
    this.#sessions.delete(id);
  }

  /** Moves frames until there are orders. @return How many. */
  run(): number {
    this.#orders = 0;
    while (this.#orders === 0) this.#poller.poll(this.#tick());
    return this.#orders;
  }

  /** Ends all sessions; TAPs that are to stay do. */
  [Symbol.dispose](): void {
    for (const session of this.#sessions.values()) session.close(false);
    this.#sessions.clear();
    this.#poller[Symbol.dispose]();
  }

  /** Does what is due. @return How long to wait for descriptors, in ms; -1 for no bound. */
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
