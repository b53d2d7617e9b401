import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from "@hpk/core/ffi";
import type { Device } from "./device.ts";
import type { Poller, Watch } from "./poller.ts";
import { AT } from "./pure/counters.ts";
import { BATCH_SIZE, type FrameBatch } from "./pure/frame_batch.ts";
import { isFromSource, type SourceRules } from "./pure/source_filter.ts";
import { checkHeader } from "./pure/virtio_header.ts";
import { ETHERNET_HEADER_SIZE, VIRTIO_HEADER_SIZE } from "./pure/wire_format.ts";

/** Batches moved for one session before the others get their turn. */
const TURNS = 8;

/** How long a peer may leave its queue full before what is sent to it is dropped, in ms. */
const STALL_MS = 250;

/** How often frames for a stalled peer are dropped, in ms. */
const DISCARD_MS = 20;

/** A VLAN tag, which does not count towards the MTU. */
const VLAN_TAG_SIZE = 4;

/**
 * Batch size for frames that are written one by one: about one segment, so that it stays in the
 * cache.
 */
const SMALL_BATCH = 64 * 1024;

/** Options of a link. */
export interface LinkOptions {
  readonly id: string;
  readonly poller: Poller;
  /** Shared by all links: it is empty between two turns. */
  readonly batch: FrameBatch;
  readonly counters: Float64Array;
  /** Largest packet in bytes. */
  readonly mtu: number;
  /** The container's addresses, to check the source of its frames; undefined to let all pass. */
  readonly rules: SourceRules | undefined;
  /** Called when `tick` has to be called. */
  readonly onStalled: () => void;
  /** Called once, when a TAP's kernel has refused a segment and offload is switched off. */
  readonly onFallback: (device: Device) => void;
  /** Called when a device is gone; the link has closed it. */
  readonly onGone: (side: Side, device: Device) => void;
}

/** One of a link's two ends. */
export type Side = "host" | "container";

interface End {
  readonly side: Side;
  device: Device | undefined;
  watch: Watch | undefined;
}

/** One session: two devices and the frames between them. */
export class Link {
  readonly id: string;
  readonly #options: LinkOptions;
  readonly #counters: Float64Array;
  readonly #host: End = { side: "host", device: undefined, watch: undefined };
  readonly #container: End = { side: "container", device: undefined, watch: undefined };
  #stalledSince = 0;
  #fellBack = false;

  constructor(options: LinkOptions) {
    this.id = options.id;
    this.#options = options;
    this.#counters = options.counters;
  }

  /** The device at an end, if any. */
  device(side: Side): Device | undefined {
    return this.#end(side).device;
  }

  /** Attaches a device to a free end. */
  attach(side: Side, device: Device): void {
    const end = this.#end(side);
    end.device = device;
    end.watch = this.#options.poller.watch(device.fd, 0, (events) => this.#onReady(end, events));
    this.#settle();
  }

  /** Closes both ends. */
  close(): void {
    this.#release(this.#host);
    this.#release(this.#container);
  }

  /**
   * Drops the frames for a peer that does not read.
   *
   * @param now Time in ms.
   * @return When to call again; infinity if no peer is stalled.
   */
  tick(now: number): number {
    const stalled = this.#stalledEnd();
    if (stalled === undefined) {
      this.#stalledSince = 0;
      return Infinity;
    }
    if (this.#stalledSince === 0) this.#stalledSince = now;
    const due = this.#stalledSince + STALL_MS;
    if (now < due) return due;
    const source = this.#other(stalled).device!;
    const { batch } = this.#options;
    for (let turn = 0; turn < TURNS; turn++) {
      batch.reset(stalled.device!.writeSize ?? VIRTIO_HEADER_SIZE);
      source.read(batch);
      if (batch.count === 0) break;
      this.#counters[AT.droppedQueue]! += batch.count;
    }
    this.#settle();
    return now + DISCARD_MS;
  }

  #onReady(end: End, events: number): void {
    const device = end.device;
    if (device === undefined) return;
    if ((events & EPOLLOUT) !== 0) {
      // It has read something.
      this.#stalledSince = 0;
      device.flush();
    }
    const other = this.#other(end).device;
    if (other === undefined) {
      // Nothing can be forwarded; a later read shows the error.
      if ((events & (EPOLLERR | EPOLLHUP)) !== 0) this.#discard(device);
    } else if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) !== 0) {
      // The buffered data is bounded, and no event would report it again.
      for (let turn = 0; turn < TURNS || device.hasBuffered; turn++) {
        if (other.state !== "ready") {
          // Not read now, but a peer that has closed would be reported over and over.
          if ((events & (EPOLLERR | EPOLLHUP)) !== 0 && other.state === "congested") {
            this.#discard(device);
          }
          break;
        }
        if (!this.#move(end.side, device, other)) break;
      }
    }
    this.#settle();
  }

  /** Moves one batch. @return Whether there may be more. */
  #move(side: Side, from: Device, to: Device): boolean {
    const { batch } = this.#options;
    batch.limit = to.writeSize === undefined ? SMALL_BATCH : BATCH_SIZE;
    batch.reset(from.readSize ?? to.writeSize ?? VIRTIO_HEADER_SIZE);
    from.read(batch);
    if (batch.count === 0) return from.hasBuffered;
    const isFromContainer = side === "container";
    // Frames to a TAP are checked, whether they come from a peer or from the container.
    if (to.writeSize === undefined && (isFromContainer || from.readSize !== undefined)) {
      this.#check(batch, isFromContainer ? this.#options.rules : undefined);
    }
    this.#count(batch, isFromContainer ? AT.txFrames : AT.rxFrames);
    to.write(batch);
    return from.state === "ready";
  }

  /** Drops the frames that may not pass. */
  #check(batch: FrameBatch, rules: SourceRules | undefined): void {
    const { mtu } = this.#options;
    const counters = this.#counters;
    const headerSize = batch.headerSize;
    const longest = mtu + ETHERNET_HEADER_SIZE + VLAN_TAG_SIZE;
    for (let index = 0; index < batch.count; index++) {
      const offset = batch.offset(index);
      const length = batch.length(index) - headerSize;
      const fault = headerSize === 0
        ? length > longest ? "oversize" : "none"
        : checkHeader(batch.bytes, offset, length, mtu);
      if (fault !== "none") {
        counters[fault === "oversize" ? AT.droppedOversize : AT.droppedInvalid]!++;
        batch.drop(index);
      } else if (
        rules !== undefined && !isFromSource(rules, batch.bytes, offset + headerSize, length)
      ) {
        counters[AT.droppedFilter]!++;
        batch.drop(index);
      }
    }
  }

  #count(batch: FrameBatch, at: number): void {
    let frames = 0;
    let bytes = 0;
    for (let index = 0; index < batch.count; index++) {
      const length = batch.length(index);
      if (length === 0) continue;
      frames++;
      bytes += length - batch.headerSize;
    }
    this.#counters[at]! += frames;
    this.#counters[at + 1]! += bytes;
  }

  #discard(device: Device): void {
    const { batch } = this.#options;
    batch.reset(device.readSize ?? VIRTIO_HEADER_SIZE);
    device.read(batch);
    this.#counters[AT.droppedQueue]! += batch.count;
  }

  /** Updates everything else to match the devices' states. */
  #settle(): void {
    const host = this.#host.device;
    const container = this.#container.device;
    if (isGone(host)) return this.#lose(this.#host);
    if (isGone(container)) return this.#lose(this.#container);
    if (host !== undefined && container !== undefined) {
      host.allowOffload(container.acceptsOffload);
      container.allowOffload(host.acceptsOffload);
      if (isGone(host) || isGone(container)) return this.#settle();
    }
    this.#reportFallback(host);
    this.#reportFallback(container);
    this.#await(this.#host, container);
    this.#await(this.#container, host);
    if (this.#stalledEnd() !== undefined) this.#options.onStalled();
    this.#counters[AT.connected] = host !== undefined && container !== undefined ? 1 : 0;
    this.#counters[AT.offload] = container?.acceptsOffload ? 1 : 0;
  }

  #reportFallback(device: Device | undefined): void {
    if (this.#fellBack || device === undefined) return;
    if (device.writeSize !== undefined || device.acceptsOffload) return;
    this.#fellBack = true;
    this.#options.onFallback(device);
  }

  #await(end: End, other: Device | undefined): void {
    if (end.device === undefined) return;
    const readable = other?.state === "ready" ? EPOLLIN : 0;
    const writable = end.device.state === "congested" ? EPOLLOUT : 0;
    end.watch!.change(readable | writable);
  }

  #lose(end: End): void {
    const device = end.device!;
    this.#release(end);
    this.#settle();
    this.#options.onGone(end.side, device);
  }

  #release(end: End): void {
    end.watch?.end();
    end.device?.close();
    end.watch = undefined;
    end.device = undefined;
  }

  #stalledEnd(): End | undefined {
    if (this.#host.device === undefined || this.#container.device === undefined) return undefined;
    if (this.#host.device.state === "congested") return this.#host;
    return this.#container.device.state === "congested" ? this.#container : undefined;
  }

  #end(side: Side): End {
    return side === "host" ? this.#host : this.#container;
  }

  #other(end: End): End {
    return end === this.#host ? this.#container : this.#host;
  }
}

function isGone(device: Device | undefined): boolean {
  return device?.state === "gone";
}
