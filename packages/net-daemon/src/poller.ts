import { Epoll } from "@hpk/core/ffi";

/** A registered descriptor. */
export interface Watch {
  /** Changes the events to wait for: EPOLLIN, EPOLLOUT, both or 0; errors are always reported. */
  change(events: number): void;
  /** Unregisters it. Call it before closing the descriptor. */
  end(): void;
}

/** Waits for many descriptors. */
export interface Poller {
  /** @param onReady Called with the events of the descriptor. */
  watch(fd: number, events: number, onReady: (events: number) => void): Watch;
}

/** The poller of the relay's thread. */
export class EpollPoller implements Poller, Disposable {
  readonly #epoll = new Epoll();
  readonly #handlers: (((events: number) => void) | undefined)[] = [];
  readonly #free: number[] = [];
  /** Freed while events of the same round may still refer to them. */
  #freed: number[] = [];

  watch(fd: number, events: number, onReady: (events: number) => void): Watch {
    const token = this.#free.pop() ?? this.#handlers.length;
    this.#epoll.add(fd, events, token);
    this.#handlers[token] = onReady;
    let current = events;
    return {
      change: (wanted) => {
        if (wanted === current || this.#handlers[token] !== onReady) return;
        current = wanted;
        this.#epoll.change(fd, wanted, token);
      },
      end: () => {
        if (this.#handlers[token] !== onReady) return;
        this.#handlers[token] = undefined;
        this.#epoll.remove(fd);
        this.#freed.push(token);
      },
    };
  }

  /**
   * Waits once, and calls the handler of every ready descriptor.
   *
   * @param timeoutMs -1 for no timeout.
   */
  poll(timeoutMs: number): void {
    const count = this.#epoll.wait(timeoutMs);
    for (let index = 0; index < count; index++) {
      this.#handlers[this.#epoll.token(index)]?.(this.#epoll.events(index));
    }
    if (this.#freed.length > 0) {
      this.#free.push(...this.#freed);
      this.#freed = [];
    }
  }

  [Symbol.dispose](): void {
    this.#epoll[Symbol.dispose]();
  }
}
