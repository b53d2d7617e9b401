import { FileDescriptor, setTapPersistent, SystemCallError } from "@hpk/core/ffi";
import type { Device } from "./device.ts";
import { Link, type Side } from "./link.ts";
import { PeerConnector, PeerListener, type PeerSource } from "./peers.ts";
import type { Poller, Watch } from "./poller.ts";
import { AT } from "./pure/counters.ts";
import type { FrameBatch } from "./pure/frame_batch.ts";
import type { EndSpec, LinkSpec } from "./pure/link_spec.ts";
import { StreamDevice } from "./stream_device.ts";
import { TapDevice } from "./tap_device.ts";

/** Options of a session. */
export interface SessionOptions {
  readonly spec: LinkSpec;
  readonly poller: Poller;
  readonly batch: FrameBatch;
  readonly counters: Float64Array;
  readonly log: (text: string) => void;
  /** Called when `tick` has to be called; it may be often. */
  readonly needTick: () => void;
  /** Called when a TAP is gone; the session is closed. */
  readonly onEnd: (reason: string) => void;
}

/** A link and the sources of its ends. */
export class Session {
  readonly #options: SessionOptions;
  readonly #link: Link;
  readonly #poller: Poller;
  readonly #taps = new Map<Side, FileDescriptor>();
  readonly #peers = new Map<Side, PeerSource>();
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { spec } = options;
    this.#poller = { watch: (fd, events, onReady) => this.#watch(fd, events, onReady) };
    this.#link = new Link({
      id: spec.id,
      poller: this.#poller,
      batch: options.batch,
      counters: options.counters,
      mtu: spec.mtu,
      rules: spec.rules,
      onStalled: options.needTick,
      onFallback: ({ name }) =>
        options.log(`${name}: the kernel refuses segments: going on without offload`),
      onGone: (side, device) => this.#onGone(side, device),
    });
    this.#open("host", spec.host);
    this.#open("container", spec.container);
  }

  /** Runs due timers. @param now Time in ms. @return When to call again; infinity for never. */
  tick(now: number): number {
    let due = this.#link.tick(now);
    for (const peers of this.#peers.values()) {
      if (now >= peers.due) peers.tick(now);
      due = Math.min(due, peers.due);
    }
    return due;
  }

  /** Ends it. @param forget Whether to remove persistent TAPs. */
  close(forget: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    if (forget) this.#taps.forEach((tap) => forgetTap(tap));
    for (const peers of this.#peers.values()) peers.close();
    this.#link.close();
  }

  /** A bug that shows in one session ends that session only. */
  #watch(fd: number, events: number, onReady: (events: number) => void): Watch {
    return this.#options.poller.watch(fd, events, (ready) => {
      try {
        onReady(ready);
      } catch (error) {
        this.close(false);
        this.#options.onEnd(`unexpected failure: ${error}`);
      }
    });
  }

  #open(side: Side, end: EndSpec): void {
    const { spec, counters, log } = this.#options;
    if (end.kind === "tap") {
      const descriptor = new FileDescriptor(end.fd);
      this.#taps.set(side, descriptor);
      const options = { name: end.name, mtu: spec.mtu, counters };
      this.#link.attach(side, new TapDevice(descriptor, options));
      return;
    }
    const events = {
      hasPeer: () => this.#link.device(side) !== undefined,
      onPeer: (connection: FileDescriptor) => this.#onPeer(side, end.path, connection),
      onRefused: () => {
        counters[AT.refused]!++;
      },
      log,
    };
    this.#peers.set(
      side,
      end.kind === "connect"
        ? new PeerConnector(end.path, events)
        : new PeerListener(new FileDescriptor(end.fd), end.uid, this.#poller, events),
    );
    this.#options.needTick();
  }

  #onPeer(side: Side, name: string, connection: FileDescriptor): void {
    const { spec, counters } = this.#options;
    counters[AT.connections]!++;
    const options = { name, mtu: spec.mtu, offload: spec.offload, counters };
    this.#link.attach(side, new StreamDevice(connection, options));
  }

  #onGone(side: Side, device: Device): void {
    const peers = this.#peers.get(side);
    const text = `${device.name}: ${device.fault}`;
    if (peers === undefined) {
      // The other TAP, if any, is connected to nothing now.
      this.#taps.delete(side);
      this.close(true);
      this.#options.onEnd(text);
    } else {
      this.#options.log(`the peer is gone: ${text}`);
      peers.lost(performance.now());
      this.#options.needTick();
    }
  }
}

function forgetTap(descriptor: FileDescriptor): void {
  try {
    setTapPersistent(descriptor, false);
  } catch (error) {
    // It is already gone.
    if (!(error instanceof SystemCallError)) throw error;
  }
}
