import { callOrThrow, callTwice, EINTR, SystemCallError } from "./errno.ts";
import { FileDescriptor } from "./fd.ts";
import { frameLibc, libc } from "./libc.ts";

/** Events of epoll_ctl(2) (sys/epoll.h). */
export const EPOLLIN = 0x001;
export const EPOLLOUT = 0x004;
export const EPOLLERR = 0x008;
export const EPOLLHUP = 0x010;

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;

/** struct epoll_event: packed on x86-64 only (sys/epoll.h), where it is 12 bytes, else 16. */
const EVENT_SIZE = Deno.build.arch === "x86_64" ? 12 : 16;
const DATA_OFFSET = EVENT_SIZE - 8;

/** Most events taken by one wait. */
const BATCH = 64;

/** An epoll(7) instance, level-triggered. */
export class Epoll implements Disposable {
  readonly #epoll: FileDescriptor;
  readonly #event = new DataView(new ArrayBuffer(EVENT_SIZE));
  readonly #ready = new DataView(new ArrayBuffer(EVENT_SIZE * BATCH));
  readonly #readyBytes = new Uint8Array(this.#ready.buffer);

  constructor() {
    this.#epoll = new FileDescriptor(
      callOrThrow("epoll_create1", () => libc.epoll_create1(EPOLL_CLOEXEC)),
    );
  }

  /** Adds a descriptor. @param token Identifies it when it is ready, 0 to 2^31 - 1. */
  add(fd: number, events: number, token: number): void {
    this.#control(EPOLL_CTL_ADD, fd, events, token);
  }

  /** Changes the events that a descriptor is watched for. */
  change(fd: number, events: number, token: number): void {
    this.#control(EPOLL_CTL_MOD, fd, events, token);
  }

  /** Removes a descriptor. */
  remove(fd: number): void {
    this.#control(EPOLL_CTL_DEL, fd, 0, 0);
  }

  /**
   * Blocks this thread until a descriptor is ready.
   *
   * @param timeoutMs Timeout in ms; -1 for none.
   * @return How many are ready; their tokens and events are at `token` and `events`.
   */
  wait(timeoutMs: number): number {
    const count = this.#wait(timeoutMs);
    if (count >= 0) return count;
    const { result, errno } = callTwice(() => this.#wait(0));
    if (result >= 0) return result;
    if (errno === EINTR) return 0;
    throw new SystemCallError("epoll_wait", errno);
  }

  /** Token of a ready descriptor. */
  token(index: number): number {
    return this.#ready.getInt32(index * EVENT_SIZE + DATA_OFFSET, true);
  }

  /** Events of a ready descriptor. */
  events(index: number): number {
    return this.#ready.getUint32(index * EVENT_SIZE, true);
  }

  [Symbol.dispose](): void {
    this.#epoll.close();
  }

  #wait(timeoutMs: number): number {
    return frameLibc().epoll_wait(this.#epoll.fd, this.#readyBytes, BATCH, timeoutMs);
  }

  #control(operation: number, fd: number, events: number, token: number): void {
    this.#event.setUint32(0, events, true);
    this.#event.setInt32(DATA_OFFSET, token, true);
    const bytes = new Uint8Array(this.#event.buffer);
    callOrThrow("epoll_ctl", () => frameLibc().epoll_ctl(this.#epoll.fd, operation, fd, bytes));
  }
}
