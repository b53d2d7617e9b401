import type { Poller, Watch } from "../poller.ts";

/** A poller that a test drives: it exposes the registered interest, and delivers events. */
export class FakePoller implements Poller {
  readonly #handlers = new Map<number, (events: number) => void>();
  /** The events that each descriptor is watched for. */
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

  /** Reports to a handler that its descriptor is ready. */
  ready(fd: number, events: number): void {
    this.#handlers.get(fd)?.(events);
  }
}
