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
import {
  countDatagrams,
  DATAGRAM_HEADERS,
  MOST_DATAGRAMS,
  writeDatagramHeaders,
} from "./pure/datagram_merge.ts";
import type { FrameBatch } from "./pure/frame_batch.ts";
import {
  countMergeable,
  LONGEST_HEADERS,
  mergeableHeaders,
  MOST_SEGMENTS,
  writeMergedHeaders,
} from "./pure/segment_merge.ts";
import { needsOffload } from "./pure/virtio_header.ts";
import { hasNoticeType, MAX_FRAME, VIRTIO_HEADER_SIZE } from "./pure/wire_format.ts";

/** Consecutive unexpected errors after which a TAP counts as gone: a single one may be misread. */
const MOST_ERRORS = 64;

/**
 * The virtio header of a frame that is sent without one; reading overwrites it, writing needs
 * zeros.
 */
const readHeader = new PinnedBuffer(VIRTIO_HEADER_SIZE);
const noHeader = new PinnedBuffer(VIRTIO_HEADER_SIZE);
const vector = new IoVector(1 + Math.max(MOST_SEGMENTS, MOST_DATAGRAMS));
const mergedHeaders = new PinnedBuffer(VIRTIO_HEADER_SIZE + LONGEST_HEADERS);
const mergedView = new DataView(mergedHeaders.bytes.buffer);

/** Facts about a new TAP. */
export interface TapOptions {
  readonly name: string;
  readonly mtu: number;
  readonly counters: Float64Array;
}

/**
 * A TAP, opened with virtio headers (openTap). Whether the kernel delivers segments or complete
 * frames can be switched at any time.
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
  acceptsOffload = true;
  readonly #descriptor: FileDescriptor;
  readonly #counters: Float64Array;
  #offloadOn: boolean;
  /** Whether the kernel splits merged datagrams: since Linux 6.2. */
  #cutsDatagrams = true;
  #errors = 0;

  /** Takes over the descriptor. */
  constructor(descriptor: FileDescriptor, options: TapOptions) {
    this.#descriptor = descriptor;
    this.fd = descriptor.fd;
    this.name = options.name;
    this.mtu = options.mtu;
    this.#counters = options.counters;
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
      // A frame that the kernel queued before offload was switched off cannot be forwarded, and one
      // that looks like a notice must not be mistaken for ours.
      const unfit = batch.headerSize === 0
        ? needsOffload(readHeader.bytes, 0) || hasNoticeType(batch.bytes, at)
        : hasNoticeType(batch.bytes, at + VIRTIO_HEADER_SIZE);
      if (unfit) this.#counters[AT.droppedInvalid]!++;
      else batch.append(length);
    }
  }

  write(batch: FrameBatch): void {
    for (let index = 0; index < batch.count && this.state === "ready";) {
      const length = batch.length(index);
      if (length === 0) {
        index++;
        continue;
      }
      const merged = this.acceptsOffload ? this.#writeMerged(batch, index) : 0;
      if (merged === 0) this.#writeOne(batch, index);
      index += merged === 0 ? 1 : merged;
    }
  }

  flush(): void {}

  close(): void {
    this.state = "gone";
    this.#descriptor.close();
  }

  #writeOne(batch: FrameBatch, index: number): void {
    if (batch.headerSize === 0) this.#writePlain(batch, index);
    else this.#writeWhole(batch, index);
  }

  #writeWhole(batch: FrameBatch, index: number): void {
    vector.set(0, batch.address + batch.offset(index), batch.length(index));
    if (vector.write(this.fd, 1) >= 0) this.#errors = 0;
    else this.#noteRefused(needsOffload(batch.bytes, batch.offset(index)));
  }

  #writePlain(batch: FrameBatch, index: number): void {
    vector.set(0, noHeader.address, VIRTIO_HEADER_SIZE);
    vector.set(1, batch.address + batch.offset(index), batch.length(index));
    if (vector.write(this.fd, 2) >= 0) this.#errors = 0;
    else this.#noteRefused(false);
  }

  /** Writes frames that can be merged as one. @return How many; 0 if there are none. */
  #writeMerged(batch: FrameBatch, index: number): number {
    const datagrams = this.#cutsDatagrams ? countDatagrams(batch, index) : 1;
    if (datagrams > 1) {
      const length = writeDatagramHeaders(mergedView, batch, index, datagrams);
      if (this.#writePieces(batch, index, length, DATAGRAM_HEADERS, datagrams)) return datagrams;
      if (lastErrno() === EINVAL) this.#cutsDatagrams = false;
      return 0;
    }
    // With virtio headers, the sender's kernel has not split its segments.
    if (batch.headerSize !== 0) return 0;
    const headers = mergeableHeaders(batch.bytes, batch.offset(index), batch.length(index));
    if (headers === 0) return 0;
    const count = countMergeable(batch, index, headers);
    if (count === 1) return 0;
    const length = writeMergedHeaders(mergedView, batch, index, headers, count);
    if (this.#writePieces(batch, index, length, headers, count)) return count;
    if (lastErrno() !== EINVAL) return 0;
    this.acceptsOffload = false;
    this.#counters[AT.fallbacks]!++;
    return 0;
  }

  /** Writes merged headers, and the payload of each frame. @return Whether they were accepted. */
  #writePieces(
    batch: FrameBatch,
    index: number,
    length: number,
    headers: number,
    count: number,
  ): boolean {
    const before = batch.headerSize + headers;
    vector.set(0, mergedHeaders.address, length);
    for (let frame = 0; frame < count; frame++) {
      const address = batch.address + batch.offset(index + frame) + before;
      vector.set(1 + frame, address, batch.length(index + frame) - before);
    }
    return vector.write(this.fd, 1 + count) >= 0;
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

  /** A frame that the kernel refuses is dropped, as by any interface. */
  #noteRefused(isSegment: boolean): void {
    const errno = lastErrno();
    this.#counters[AT.droppedDevice]!++;
    if (errno === EBADFD) this.#end("write", errno);
    if (errno === EINVAL && isSegment && this.acceptsOffload) {
      // Some kernels refuse segments that others accept (6.6.44, 6.10.3): go on without.
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
