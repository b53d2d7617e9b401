/** Shows that a long step is in progress. */
export type Progress = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** Time between two frames of the spinner, in ms. */
const TURN_MS = 120;
const WHEEL = ["|", "/", "-", "\\"];

/** A stream that lines are written to. */
export interface Output {
  /** Whether it is a terminal, on which a line can be overwritten. */
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}

/**
 * Makes a {@linkcode Progress}: on a terminal one line with a spinner and the seconds, which is
 * erased in the end; elsewhere one line at the beginning.
 */
export function progressOn({ isTerminal, write }: Output): Progress {
  return async (what, work) => {
    if (!isTerminal) {
      write(`${what}\n`);
      return await work();
    }
    const begun = performance.now();
    let turn = 0;
    const draw = (): void => {
      const seconds = Math.round((performance.now() - begun) / 1000);
      write(`\r${WHEEL[turn++ % WHEEL.length]} ${what} (${seconds} s) `);
    };
    draw();
    const timer = setInterval(draw, TURN_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      write("\r\x1b[K");
    }
  };
}
