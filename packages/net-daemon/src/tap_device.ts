import {
  EAGAIN,
  EBADFD,
  EINTR,
  EINVAL,
  type FileDescriptor,
  IoVector,
  lastErrno,
  PinnedBuffer,
  setTapOffload,
} from "@hpk/core/ffi";
import type { Device, DeviceState } from "./device.ts";
import { AT } from "./pure/counters.ts";
import type { FrameBatch } from "./pure/frame_batch.ts";
import { needsOffload } from "./pure/virtio_header.ts";
import { hasNoticeType, MAX_FRAME, VIRTIO_HEADER_SIZE } from "./pure/wire_format.ts";

/** Unexpected errors in a row after which a TAP counts as gone: a single one may be misread. */
const MOST_ERRORS = 64;

/** The virtio header of a frame that travels without one; reading fills it in, writing wants zeros. */
const readHeader = new PinnedBuffer(VIRTIO_HEADER_SIZE);
const noHeader = new PinnedBuffer(VIRTIO_HEADER_SIZE);
const vector = new IoVector(2);

/** What is known of a TAP when it is opened. */
export interface TapOptions {
  readonly name: string;
  readonly mtu: number;
  /** Whether it may take segments of up to 64 KiB. */
  readonly offload: boolean;
  readonly counters: Float64Array;
}

/**
 * A TAP, opened with virtio headers (openTap). Whether the kernel hands over segments or complete
 * frames is switched while it runs.
 */
export class TapDevice implements Device {
  readonly name: string;
  readonly mtu: number;
  readonly fd: number;
  readonly hasBuffered = false;
  readonly readSize = undefined;
  readonly writeSize = undefined;
  state: DeviceState = "ready";
  fault = "";
  acceptsOffload: boolean;
  readonly #descriptor: FileDescriptor;
  readonly #counters: Float64Array;
  #offloadOn: boolean;
  #errors = 0;

  /** Takes over the descriptor. */
  constructor(descriptor: FileDescriptor, options: TapOptions) {
    this.#descriptor = descriptor;
    this.fd = descriptor.fd;
    this.name = options.name;
    this.mtu = options.mtu;
    this.#counters = options.counters;
    this.acceptsOffload = options.offload;
    // Another process may have left it on.
    setTapOffload(this.fd, false);
    this.#offloadOn = false;
  }

  allowOffload(allowed: boolean): void {
    if (allowed === this.#offloadOn) return;
    this.#offloadOn = setTapOffload(this.fd, allowed) && allowed;
  }

  read(batch: FrameBatch): void {
    while (batch.hasRoom) {
      const length = batch.headerSize === 0 ? this.#readPlain(batch) : this.#readWhole(batch);
      if (length <= 0) {
        this.#noteError("read", length);
        return;
      }
      this.#errors = 0;
      const at = batch.next;
      // A frame that the kernel queued before offload was switched off cannot be sent on, and one
      // that looks like a notice must not be taken for ours.
      const unfit = batch.headerSize === 0
        ? needsOffload(readHeader.bytes, 0) || hasNoticeType(batch.bytes, at)
        : hasNoticeType(batch.bytes, at + VIRTIO_HEADER_SIZE);
      if (unfit) this.#counters[AT.droppedInvalid]!++;
      else batch.append(length);
    }
  }

  write(batch: FrameBatch): void {
    for (let index = 0; index < batch.count && this.state === "ready"; index++) {
      const length = batch.length(index);
      if (length === 0) continue;
      const address = batch.address + batch.offset(index);
      let written: number;
      if (batch.headerSize === 0) {
        vector.set(0, noHeader.address, VIRTIO_HEADER_SIZE);
        vector.set(1, address, length);
        written = vector.write(this.fd, 2);
      } else {
        vector.set(0, address, length);
        written = vector.write(this.fd, 1);
      }
      if (written >= 0) this.#errors = 0;
      else this.#noteRefused(batch, index);
    }
  }

  flush(): void {}

  close(): void {
    this.state = "gone";
    this.#descriptor.close();
  }

  #readPlain(batch: FrameBatch): number {
    vector.set(0, readHeader.address, VIRTIO_HEADER_SIZE);
    vector.set(1, batch.address + batch.next, MAX_FRAME);
    const length = vector.read(this.fd, 2);
    return length <= 0 ? length : length - VIRTIO_HEADER_SIZE;
  }

  #readWhole(batch: FrameBatch): number {
    vector.set(0, batch.address + batch.next, VIRTIO_HEADER_SIZE + MAX_FRAME);
    return vector.read(this.fd, 1);
  }

  /** A frame that the kernel did not take is dropped, as by any interface. */
  #noteRefused(batch: FrameBatch, index: number): void {
    const errno = lastErrno();
    this.#counters[AT.droppedDevice]!++;
    if (errno === EBADFD) this.#end("write", errno);
    const isSegment = batch.headerSize !== 0 && needsOffload(batch.bytes, batch.offset(index));
    if (errno === EINVAL && isSegment && this.acceptsOffload) {
      // Some kernels refuse segments that others took (6.6.44, 6.10.3): go on without.
      this.acceptsOffload = false;
      this.#counters[AT.fallbacks]!++;
    }
  }

  #noteError(call: string, result: number): void {
    if (result === 0) return;
    const errno = lastErrno();
    if (errno === EAGAIN || errno === EINTR) return;
    if (errno === EBADFD || ++this.#errors >= MOST_ERRORS) this.#end(call, errno);
  }

  #end(call: string, errno: number): void {
    this.state = "gone";
    this.fault = errno === EBADFD ? "the interface was deleted" : `${call}: error ${errno}`;
  }
}
