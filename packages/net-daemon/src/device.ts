import type { FrameBatch } from "./pure/frame_batch.ts";
import type { HeaderSize } from "./pure/wire_format.ts";

/**
 * State of a device: "ready" to read and write; "congested" if it has not yet taken everything that
 * was written, and must be flushed before the next write; "gone" for good.
 */
export type DeviceState = "ready" | "congested" | "gone";

/**
 * One end of a session: it delivers and accepts batches of Ethernet frames. None of its functions
 * blocks, and none throws for anything that a peer or a kernel does in operation: the state
 * changes, and `fault` says why.
 */
export interface Device {
  /** For messages: an interface's name, or a socket's path. */
  readonly name: string;
  /** Largest packet in bytes. */
  readonly mtu: number;
  /** Descriptor to wait for. */
  readonly fd: number;
  readonly state: DeviceState;
  /** Why it is gone; empty otherwise. */
  readonly fault: string;
  /** Whether more can be read without waiting for the descriptor. */
  readonly hasBuffered: boolean;
  /** Virtio header of its frames as read; undefined if it fits either, as the batch has it. */
  readonly readSize: HeaderSize | undefined;
  /** Virtio header that frames to write must have; undefined for either. */
  readonly writeSize: HeaderSize | undefined;
  /** Whether it accepts segments of up to 64 KiB and checksums that are still to be filled in. */
  readonly acceptsOffload: boolean;

  /** Whether frames read from it may need offload: what the other end of the session accepts. */
  allowOffload(allowed: boolean): void;

  /** Appends the available frames, up to the room of the batch. */
  read(batch: FrameBatch): void;

  /**
   * Writes a batch. A device with a `writeSize` takes it as a whole; one without skips dropped
   * frames. Only while "ready".
   */
  write(batch: FrameBatch): void;

  /** Writes the rest of the last batch once the descriptor is writable. */
  flush(): void;

  close(): void;
}
