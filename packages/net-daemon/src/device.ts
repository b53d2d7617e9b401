import type { FrameBatch } from "./pure/frame_batch.ts";
import type { HeaderSize } from "./pure/wire_format.ts";

/**
 * How it is with a device: "ready" to read and write; "congested" where it has not yet taken what was
 * written last, and must be flushed before more is written; "gone" for good.
 */
export type DeviceState = "ready" | "congested" | "gone";

/**
 * One end of a session: something that gives and takes Ethernet frames, many at a time. None of its
 * functions waits for anything, and none throws for what a peer or a kernel does in operation: the
 * state tells, and `fault` says why.
 */
export interface Device {
  /** For messages: an interface's name, or a socket's path. */
  readonly name: string;
  /** Largest packet in bytes. */
  readonly mtu: number;
  /** What to wait for. */
  readonly fd: number;
  readonly state: DeviceState;
  /** Why it is gone; empty otherwise. */
  readonly fault: string;
  /** Whether more can be read without waiting for the descriptor. */
  readonly hasBuffered: boolean;
  /** Virtio header that its frames have as they are read; undefined for either, as the batch has it. */
  readonly readSize: HeaderSize | undefined;
  /** Virtio header that frames must have to be written; undefined for either. */
  readonly writeSize: HeaderSize | undefined;
  /** Whether it takes segments of up to 64 KiB and checksums that are still to be filled in. */
  readonly acceptsOffload: boolean;

  /** Whether what is read from it may need offload: what the other end of the session accepts. */
  allowOffload(allowed: boolean): void;

  /** Appends what there is, up to the room of the batch. */
  read(batch: FrameBatch): void;

  /**
   * Writes a batch. A device with a `writeSize` takes it as a whole; one without leaves out what was
   * dropped. Only while "ready".
   */
  write(batch: FrameBatch): void;

  /** Writes what was left over, when the descriptor has become writable. */
  flush(): void;

  close(): void;
}
