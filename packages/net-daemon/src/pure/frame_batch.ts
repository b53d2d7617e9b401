import { type HeaderSize, LENGTH_SIZE, maxPayload, VIRTIO_HEADER_SIZE } from "./wire_format.ts";

/** Most frames in a batch: limits how long one session delays the others. */
const MAX_FRAMES = 256;

/** Size of a batch: room for the largest frame behind some that filled half of it. */
export const BATCH_SIZE = 256 * 1024;

/** Room that a frame of any length needs. */
const LARGEST = LENGTH_SIZE + maxPayload(VIRTIO_HEADER_SIZE);

/**
 * Frames in transit, laid out as they are sent over a stream (wire_format.ts), so that many of them
 * can be sent by one call. It is created once and reused: nothing is allocated per frame.
 */
export class FrameBatch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  /** Address of the bytes in memory. */
  readonly address: number;
  /** Bytes of the virtio header before every frame. */
  headerSize: HeaderSize = 0;
  /** Number of frames. */
  count = 0;
  /** Bytes used. */
  end = 0;
  /** Most bytes to fill: a batch that is not sent as a whole should be small enough for a cache. */
  limit = BATCH_SIZE;
  readonly #offsets = new Int32Array(MAX_FRAMES);
  readonly #lengths = new Int32Array(MAX_FRAMES);

  /**
   * @param bytes Memory of BATCH_SIZE bytes that does not move.
   * @param address Its address; 0 if no kernel reads it.
   */
  constructor(bytes: Uint8Array<ArrayBuffer>, address: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.address = address;
  }

  /** Empties it. */
  reset(headerSize: HeaderSize): void {
    this.headerSize = headerSize;
    this.count = 0;
    this.end = 0;
  }

  /** Whether a frame of any length still fits. */
  get hasRoom(): boolean {
    return this.count < MAX_FRAMES && this.end < this.limit && this.end + LARGEST <= BATCH_SIZE;
  }

  /** Whether another frame that is already in the buffer can be added. */
  get canNote(): boolean {
    return this.count < MAX_FRAMES;
  }

  /** Where to put the next frame, or its virtio header: behind its length. */
  get next(): number {
    return this.end + LENGTH_SIZE;
  }

  /** Adds the frame that was put at `next`. @param length With its virtio header, in bytes. */
  append(length: number): void {
    this.view.setUint32(this.end, length);
    this.note(this.next, length);
    this.end += LENGTH_SIZE + length;
  }

  /** Adds a frame that is already in the buffer. */
  note(offset: number, length: number): void {
    this.#offsets[this.count] = offset;
    this.#lengths[this.count] = length;
    this.count++;
  }

  /** Where a frame, or its virtio header, begins. */
  offset(index: number): number {
    return this.#offsets[index]!;
  }

  /** Length with the virtio header in bytes; 0 for a frame that was dropped. */
  length(index: number): number {
    return this.#lengths[index]!;
  }

  /** Drops a frame; only allowed if the batch is not sent as a whole. */
  drop(index: number): void {
    this.#lengths[index] = 0;
  }
}
