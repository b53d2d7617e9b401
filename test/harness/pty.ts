/**
 * Runs a command on a real terminal (with `script` of util-linux) and drives it as a user would.
 */
import type { Background, SpawnOptions } from "./background.ts";
import type { Place } from "./place.ts";

/** Options of {@linkcode openPty}. */
export interface PtyOptions extends SpawnOptions {
  /** Height of the terminal in rows. Default 24. */
  rows?: number;
  /** Width of the terminal in columns. Default 80. */
  columns?: number;
}

/** Start `command` on a new terminal of its own in `place`. */
export async function openPty(
  place: Place,
  command: string,
  args: readonly string[] = [],
  options: PtyOptions = {},
): Promise<Pty> {
  const { rows = 24, columns = 80, env, ...rest } = options;
  const words = [command, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const script = `stty rows ${rows} cols ${columns}; tty; exec ${words}`;
  // script(1) starts $SHELL, and turns echo off if its own input is not a terminal.
  const process = await place.spawn(
    "script",
    ["--quiet", "--return", "--flush", "--echo", "always", "--command", script, "/dev/null"],
    { ...rest, env: { TERM: "xterm", ...env, SHELL: "/bin/sh" } },
  );
  try {
    const [, device = ""] = await process.waitFor(/^(\/dev\/\S+)\r?\n/, {
      stream: "stdout",
      timeoutMs: 60_000,
    });
    return new Pty(place, process, device);
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

/** A command on a terminal. Output has the terminal's line ends (`\r\n`) and what the terminal echoes. */
export class Pty implements AsyncDisposable {
  /** The terminal's device file, as the place sees it. */
  readonly device: string;
  readonly #place: Place;
  readonly #process: Background;
  #read: number;

  /** Used by {@linkcode openPty}. */
  constructor(place: Place, process: Background, device: string) {
    this.#place = place;
    this.#process = process;
    this.device = device;
    this.#read = process.stdout.indexOf("\n") + 1;
  }

  /** Everything that the terminal has shown and {@linkcode Pty.readUntil} has not yet consumed. */
  get unread(): string {
    return this.#process.stdout.slice(this.#read);
  }

  /** Type text; `"\x03"` is Ctrl-C, `"\r"` Enter. */
  async write(text: string): Promise<void> {
    await this.#process.write(text);
  }

  /**
   * Wait until the unread output matches; consume it up to the end of the match, and return that
   * text. Default timeout 5,000 ms.
   */
  async readUntil(pattern: RegExp, options: { timeoutMs?: number } = {}): Promise<string> {
    const from = this.#read;
    const match = await this.#process.waitFor(pattern, { ...options, stream: "stdout", from });
    this.#read = from + match.index + match[0].length;
    return this.#process.stdout.slice(from, this.#read);
  }

  /** Change the terminal's size; the command's foreground processes get SIGWINCH. */
  async resize(rows: number, columns: number): Promise<void> {
    await this.#place.run("stty", [
      "-F",
      this.device,
      "rows",
      String(rows),
      "cols",
      String(columns),
    ]);
  }

  /**
   * Wait for the command's end; returns its exit code (128+N for signal N). Default timeout 10,000
   * ms.
   */
  async waitExit(options: { timeoutMs?: number } = {}): Promise<number> {
    return (await this.#process.wait({ timeoutMs: options.timeoutMs ?? 10_000 })).code;
  }

  /** Kill the terminal; the processes on it get SIGHUP. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
