import { callOrThrow } from "./errno.ts";
import { libc } from "./libc.ts";

/** Size of a struct termios with room to spare: 60 bytes with glibc (bits/termios.h). */
const TERMIOS_SIZE = 64;

/** tcsetattr(3): apply once all output has been transmitted. */
const TCSADRAIN = 1;

/** A terminal in raw mode, until the end of the scope. */
export class RawTerminal implements Disposable {
  readonly #fd: number;
  readonly #before = new Uint8Array(TERMIOS_SIZE);
  #isRaw = true;

  /**
   * Puts a terminal in raw mode, cfmakeraw(3).
   *
   * @throws {SystemCallError} If the descriptor is not a terminal.
   */
  constructor(fd: number) {
    const { cfmakeraw, tcgetattr } = libc;
    this.#fd = fd;
    callOrThrow("tcgetattr", () => tcgetattr(fd, this.#before));
    const raw = this.#before.slice();
    cfmakeraw(raw);
    this.#set(raw);
  }

  /** Restores it; a second call does nothing, nor does one after the terminal has gone. */
  restore(): void {
    if (!this.#isRaw) return;
    this.#isRaw = false;
    try {
      this.#set(this.#before);
    } catch {
      // The terminal is gone: its window was closed.
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
 * Sets the size of a terminal; its foreground process group gets SIGWINCH.
 *
 * @param fd The terminal, or its master end.
 * @throws {SystemCallError} If it is not a terminal.
 */
export function setTerminalSize(fd: number, rows: number, columns: number): void {
  const size = new Uint16Array([rows, columns, 0, 0]);
  const bytes = new Uint8Array(size.buffer);
  callOrThrow("ioctl TIOCSWINSZ", () => libc.ioctl(fd, TIOCSWINSZ, bytes));
}
