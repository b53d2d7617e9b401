import type { Device, DeviceState } from "../device.ts";
import type { FrameBatch } from "../pure/frame_batch.ts";

/** A TAP in memory: frames put in `incoming` are read from it, frames written to it are in `written`. */
export class MemoryDevice implements Device {
  readonly name = "memory";
  readonly mtu = 1500;
  readonly fd: number;
  readonly hasBuffered = false;
  readonly readSize = undefined;
  readonly writeSize = undefined;
  state: DeviceState = "ready";
  fault = "";
  acceptsOffload = true;
  offloadAllowed = false;
  /** Frames without virtio headers. */
  readonly incoming: Uint8Array[] = [];
  /** Frames without virtio headers. */
  readonly written: Uint8Array[] = [];
  /** Whether to keep written frames; a fuzz test only counts them. */
  keep = true;
  writtenCount = 0;

  /** @param fd Descriptor number for a fake poller. */
  constructor(fd: number) {
    this.fd = fd;
  }

  allowOffload(allowed: boolean): void {
    this.offloadAllowed = allowed;
  }

  read(batch: FrameBatch): void {
    while (batch.hasRoom && this.incoming.length > 0) {
      const frame = this.incoming.shift()!;
      batch.bytes.fill(0, batch.next, batch.next + batch.headerSize);
      batch.bytes.set(frame, batch.next + batch.headerSize);
      batch.append(batch.headerSize + frame.length);
    }
  }

  write(batch: FrameBatch): void {
    for (let index = 0; index < batch.count; index++) {
      const length = batch.length(index);
      if (length === 0) continue;
      this.writtenCount++;
      const start = batch.offset(index) + batch.headerSize;
      const end = batch.offset(index) + length;
      if (this.keep) this.written.push(batch.bytes.slice(start, end));
    }
  }

  flush(): void {}

  close(): void {
    this.state = "gone";
  }
}
