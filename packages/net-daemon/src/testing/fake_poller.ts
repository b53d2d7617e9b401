import type { Poller, Watch } from "../poller.ts";

/** A poller that a test drives: it tells what is waited for, and hands out events. */
export class FakePoller implements Poller {
  readonly #handlers = new Map<number, (events: number) => void>();
  /** What each descriptor is waited for. */
  readonly interest = new Map<number, number>();

  watch(fd: number, events: number, onReady: (events: number) => void): Watch {
    this.#handlers.set(fd, onReady);
    this.interest.set(fd, events);
    return {
      change: (wanted) => {
        this.interest.set(fd, wanted);
      },
      end: () => {
        this.#handlers.delete(fd);
        this.interest.delete(fd);
      },
    };
  }

  /** Tells a handler that its descriptor is ready. */
  ready(fd: number, events: number): void {
    this.#handlers.get(fd)?.(events);
  }
}
