/**
 * Offline stand-in for `@std/cli/unstable-progress-bar`, for bars with a formatter of their own: no
 * npm package has this shape.
 */

/** What a bar is made of. */
export interface ProgressBarOptions {
  /** Where it is written. Default: standard error. */
  writable?: WritableStream<Uint8Array>;
  /** Where it begins. Default 0. */
  value?: number;
  /** Where it ends. */
  max: number;
  /** Whether it is removed when it stops. Default false. */
  clear?: boolean;
  /** Gives its text. */
  formatter: (state: { value: number; max: number }) => string;
  /** Time between two frames in ms. Default 1000. */
  interval?: number;
}

/** Back to the start of the line, which is cleared to its end (ECMA-48: CR; CSI K, EL). */
const NEW_FRAME = "\r\x1b[K";

/** A line that is written anew in regular intervals. */
export class ProgressBar {
  /** How far it is. */
  value: number;
  /** Where it ends. */
  max: number;
  readonly #options: ProgressBarOptions;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #timer: ReturnType<typeof setInterval>;

  /** Begins to show it. */
  constructor(options: ProgressBarOptions) {
    this.#options = options;
    this.value = options.value ?? 0;
    this.max = options.max;
    this.#writer = (options.writable ?? Deno.stderr.writable).getWriter();
    this.#timer = setInterval(() => this.#draw(), options.interval ?? 1000);
    this.#draw();
  }

  /** Ends it. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#options.clear) this.#write(NEW_FRAME);
    else {
      this.#draw();
      this.#write("\n");
    }
    await this.#writer.ready.catch(ignore);
    this.#writer.releaseLock();
  }

  #draw(): void {
    this.#write(NEW_FRAME + this.#options.formatter({ value: this.value, max: this.max }));
  }

  #write(text: string): void {
    this.#writer.write(new TextEncoder().encode(text)).catch(ignore);
  }
}

/** A bar that nobody can see any more is no failure. */
function ignore(): void {}
