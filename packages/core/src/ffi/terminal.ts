import { callOrThrow } from "./errno.ts";
import { libc } from "./libc.ts";

/** Size of a struct termios with room to spare: 60 bytes with glibc (bits/termios.h). */
const TERMIOS_SIZE = 64;

/** tcsetattr(3): when all that was written has left. */
const TCSADRAIN = 1;

/** A terminal that hands on every key as it is typed, until the end of the scope. */
export class RawTerminal implements Disposable {
  readonly #fd: number;
  readonly #before = new Uint8Array(TERMIOS_SIZE);
  #isRaw = true;

  /**
   * Makes a terminal raw, cfmakeraw(3).
   *
   * @throws {SystemCallError} When the descriptor is no terminal.
   */
  constructor(fd: number) {
    const { cfmakeraw, tcgetattr } = libc;
    this.#fd = fd;
    callOrThrow("tcgetattr", () => tcgetattr(fd, this.#before));
    const raw = this.#before.slice();
    cfmakeraw(raw);
    this.#set(raw);
  }

  /** Makes it as it was; a second call does nothing, nor does one whose terminal is gone. */
  restore(): void {
    if (!this.#isRaw) return;
    this.#isRaw = false;
    try {
      this.#set(this.#before);
    } catch {
      // The terminal is gone, as when its window was closed.
    }
  }

  [Symbol.dispose](): void {
    this.restore();
  }

  #set(termios: Uint8Array<ArrayBuffer>): void {
    const { tcsetattr } = libc;
    callOrThrow("tcsetattr", () => tcsetattr(this.#fd, TCSADRAIN, termios));
  }
}

/** ioctl_tty(2): sets the size of a terminal (asm-generic/ioctls.h). */
const TIOCSWINSZ = 0x5414;

/**
 * Gives a terminal its size; whoever runs on it is told by SIGWINCH.
 *
 * @param fd The terminal, or the end that drives it.
 * @throws {SystemCallError} When it is none.
 */
export function setTerminalSize(fd: number, rows: number, columns: number): void {
  const size = new Uint16Array([rows, columns, 0, 0]);
  const bytes = new Uint8Array(size.buffer);
  callOrThrow("ioctl TIOCSWINSZ", () => libc.ioctl(fd, TIOCSWINSZ, bytes));
}
