import {
  EAGAIN,
  EINTR,
  type FileDescriptor,
  IoVector,
  lastErrno,
  PinnedBuffer,
  setSocketBuffers,
} from "@hpk/core/ffi";
import type { Device, DeviceState } from "./device.ts";
import { AT } from "./pure/counters.ts";
import { BATCH_SIZE, type FrameBatch } from "./pure/frame_batch.ts";
import {
  decodeNotice,
  encodeNotice,
  hasNoticeType,
  type HeaderSize,
  isPossibleLength,
  LENGTH_SIZE,
  maxPayload,
  type Notice,
  VIRTIO_HEADER_SIZE,
} from "./pure/wire_format.ts";

/** Requested size of the socket's buffers: more only lengthens the queue. */
const SOCKET_BUFFER = 1024 * 1024;

/** Room for notices behind a batch that was not taken. */
const NOTICE_ROOM = 4096;

/** Room for a partly received frame. */
const ONE_FRAME = LENGTH_SIZE + maxPayload(VIRTIO_HEADER_SIZE);

/** Most notices from a peer: it needs few, and each may be answered. */
const MOST_NOTICES = 64;

const vector = new IoVector(1);

/** Facts about a new connection. */
export interface StreamOptions {
  readonly name: string;
  readonly mtu: number;
  /** Whether to negotiate offload at all; without, the stream is the original's. */
  readonly offload: boolean;
  readonly counters: Float64Array;
}

/** The end of a connection to another relay: frames as wire_format.ts describes them. */
export class StreamDevice implements Device {
  readonly name: string;
  readonly mtu: number;
  readonly fd: number;
  state: DeviceState = "ready";
  fault = "";
  hasBuffered = false;
  readSize: HeaderSize = 0;
  writeSize: HeaderSize = 0;
  readonly #descriptor: FileDescriptor;
  readonly #counters: Float64Array;
  readonly #offload: boolean;
  #allowed = false;
  #notices = 0;
  /** A partly received frame. */
  #rest: Uint8Array<ArrayBuffer> | undefined;
  #restLength = 0;
  /** Data that the socket has not taken yet. */
  #queue: PinnedBuffer | undefined;
  #queueStart = 0;
  #queueEnd = 0;

  /** Takes over the descriptor. */
  constructor(descriptor: FileDescriptor, options: StreamOptions) {
    this.#descriptor = descriptor;
    this.fd = descriptor.fd;
    this.name = options.name;
    this.mtu = options.mtu;
    this.#offload = options.offload;
    this.#counters = options.counters;
    setSocketBuffers(this.fd, SOCKET_BUFFER);
  }

  get acceptsOffload(): boolean {
    return this.writeSize !== 0;
  }

  allowOffload(allowed: boolean): void {
    if (!this.#offload || allowed === this.#allowed || this.#isGone) return;
    this.#allowed = allowed;
    this.#announce({ accepts: allowed, headers: this.writeSize !== 0 });
  }

  read(batch: FrameBatch): void {
    const kept = this.#restLength;
    if (kept > 0) batch.bytes.set(this.#rest!.subarray(0, kept));
    if (this.hasBuffered) this.#parse(batch, kept);
    else {
      vector.set(0, batch.address + kept, BATCH_SIZE - kept);
      let length = vector.read(this.fd, 1);
      if (length < 0 && !isTransient(lastErrno())) {
        // The error number may have been misread: a second call confirms it.
        length = vector.read(this.fd, 1);
        if (length < 0 && !isTransient(lastErrno())) this.#end("reading failed");
      }
      if (length > 0) this.#parse(batch, kept + length);
      else if (length === 0) this.#end("it was closed");
    }
  }

  write(batch: FrameBatch): void {
    const sent = this.#send(batch.address, batch.end);
    if (sent < batch.end && !this.#isGone) this.#keep(batch.bytes, sent, batch.end);
  }

  flush(): void {
    if (this.#queue === undefined || this.#isGone) return;
    const length = this.#queueEnd - this.#queueStart;
    this.#queueStart += this.#send(this.#queue.address + this.#queueStart, length);
    if (!this.#isGone && this.#queueStart === this.#queueEnd) {
      this.#queueStart = this.#queueEnd = 0;
      this.state = "ready";
    }
  }

  close(): void {
    this.state = "gone";
    this.#descriptor.close();
  }

  get #isGone(): boolean {
    return this.state === "gone";
  }

  /** Adds the frames in the first bytes of a batch, and keeps the rest. */
  #parse(batch: FrameBatch, filled: number): void {
    const headerSize = this.readSize;
    let at = 0;
    this.hasBuffered = false;
    while (filled - at >= LENGTH_SIZE) {
      const length = batch.view.getUint32(at);
      if (!isPossibleLength(length, headerSize)) {
        this.#reject(`a frame of ${length} bytes`);
        return;
      }
      if (filled - at - LENGTH_SIZE < length) break;
      if (!batch.canNote || headerSize !== this.readSize) {
        this.hasBuffered = true;
        break;
      }
      const frame = at + LENGTH_SIZE + headerSize;
      if (hasNoticeType(batch.bytes, frame)) {
        this.#onNotice(decodeNotice(batch.bytes, frame, length - headerSize));
        if (this.#isGone) return;
      } else batch.note(at + LENGTH_SIZE, length);
      at += LENGTH_SIZE + length;
    }
    // What follows a change of format is parsed again, in the new one.
    if (headerSize !== this.readSize && filled > at) this.hasBuffered = true;
    this.#keepRest(batch.bytes, at, filled);
  }

  #onNotice(notice: Notice | undefined): void {
    if (++this.#notices > MOST_NOTICES) return this.#reject("too many notices");
    // Ignore a notice of a later version.
    if (notice === undefined || !this.#offload) return;
    this.readSize = notice.headers ? VIRTIO_HEADER_SIZE : 0;
    if (notice.accepts === this.acceptsOffload) return;
    this.#announce({ accepts: this.#allowed, headers: notice.accepts });
    this.writeSize = notice.accepts ? VIRTIO_HEADER_SIZE : 0;
  }

  #announce(notice: Notice): void {
    const bytes = encodeNotice(notice, this.writeSize);
    this.#keep(bytes, 0, bytes.length);
    this.flush();
  }

  /** Sends from memory. @return Bytes taken. */
  #send(address: number, length: number): number {
    vector.set(0, address, length);
    for (let attempt = 0; attempt < 2; attempt++) {
      const sent = vector.write(this.fd, 1);
      if (sent >= 0) return sent;
      if (isTransient(lastErrno())) return 0;
    }
    this.#end("writing failed, as when it is closed");
    return 0;
  }

  /** Queues bytes that the socket has not taken. */
  #keep(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.#queue ??= new PinnedBuffer(BATCH_SIZE + NOTICE_ROOM);
    if (this.#queueEnd + end - start > this.#queue.bytes.length) {
      return this.#end("it does not read, and its queue is full");
    }
    this.#queue.bytes.set(bytes.subarray(start, end), this.#queueEnd);
    this.#queueEnd += end - start;
    this.state = "congested";
  }

  #keepRest(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const length = end - start;
    if (length > 0) {
      if (this.#rest === undefined || this.#rest.length < length) {
        this.#rest = new Uint8Array(length > ONE_FRAME ? BATCH_SIZE : ONE_FRAME);
      }
      this.#rest.set(bytes.subarray(start, end));
    }
    this.#restLength = length;
  }

  #reject(what: string): void {
    this.#counters[AT.malformed]!++;
    this.#end(`malformed: ${what}`);
  }

  #end(fault: string): void {
    this.state = "gone";
    this.fault = fault;
  }
}

function isTransient(errno: number): boolean {
  return errno === EAGAIN || errno === EINTR;
}
