/**
 * A running command whose output is read as it arrives, that can be signalled in its namespaces,
 * and that never outlives its scope.
 */
import type { RunResult } from "./run_result.ts";
import { eventually } from "./eventually.ts";

/** Options for starting a command. */
export interface SpawnOptions {
  /** Variables added to the test's own environment. */
  env?: Record<string, string>;
  /** Start from an empty environment (plus `env`) instead of the test's own. Default false. */
  clearEnv?: boolean;
  /** Working directory, as the place sees it. */
  cwd?: string;
}

interface LaunchOptions extends SpawnOptions {
  /** The first word forks and waits for the command (`nsenter -p`), so signals must go to its child. */
  forks: boolean;
  /** Command lines (joined by NUL) that the command's process has before it becomes the command by exec. */
  launchers: readonly string[];
}

/** Options of {@linkcode Background.waitFor}. */
export interface WaitForOptions {
  /** Timeout in milliseconds. Default 5,000. */
  timeoutMs?: number;
  /** Which output to search. Default both. */
  stream?: "stdout" | "stderr" | "both";
  /** Ignore this many characters at the beginning. Default 0. */
  from?: number;
}

/**
 * How long output may still arrive after the exit before the pipes count as held by a leftover
 * process.
 */
const PIPE_GRACE_MS = 500;

/** A command that runs while the test goes on. */
export class Background implements AsyncDisposable {
  readonly #what: string;
  readonly #child: Deno.ChildProcess;
  readonly #options: LaunchOptions;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: TextCollector;
  readonly #stderr: TextCollector;
  readonly #begun = performance.now();
  readonly #finished: Promise<Omit<RunResult, "stdout" | "stderr">>;
  #exited = false;
  #stdinClosed = false;
  #pid: number | undefined;

  /** Start `words`; `what` names it in messages. Used by `Place`, not by tests. */
  constructor(what: string, words: readonly string[], options: LaunchOptions) {
    this.#what = what;
    this.#options = options;
    const [program = "", ...args] = words;
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      clearEnv: options.clearEnv ?? false,
      // An empty environment still needs a path, or the command itself cannot be found.
      env: {
        ...(options.clearEnv
          ? { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" }
          : {}),
        ...options.env,
      },
    }).spawn();
    if (!options.forks) this.#pid = this.#child.pid;
    this.#stdin = this.#child.stdin.getWriter();
    this.#stdout = new TextCollector(this.#child.stdout);
    this.#stderr = new TextCollector(this.#child.stderr);
    this.#finished = this.#finish();
  }

  /** The command's process id as the machine sees it. Throws before `started()`, which `spawn` awaits. */
  get pid(): number {
    if (this.#pid === undefined) throw new Error(`${this.#what} has not started`);
    return this.#pid;
  }

  /** The command's process id as its own PID namespace sees it. Throws when it has ended. */
  get innerPid(): number {
    const status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
    return Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1]);
  }

  /** Standard output so far. */
  get stdout(): string {
    return this.#stdout.text;
  }

  /** Standard error so far. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** True until the command has ended. */
  get running(): boolean {
    return !this.#exited;
  }

  /** Wait until the command itself runs (or has ended), past the programs that enter the namespaces. */
  async started(): Promise<void> {
    await eventually(() => {
      if (this.#exited || !this.#options.forks) return true;
      this.#pid ??= onlyChild(this.#child.pid);
      if (this.#pid === undefined) return false;
      // A program is started by its whole path. In the middle of an exec the line is empty.
      const now = commandLine(this.#pid).replace(/^[^\0]*\//, "");
      return now !== "" && !this.#options.launchers.includes(now);
    }, { what: `start of ${this.#what}`, timeoutMs: 60_000, intervalMs: 1 });
    this.#pid ??= this.#child.pid;
  }

  /** Write text to standard input. */
  async write(text: string): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(text));
  }

  /** End standard input. */
  async closeStdin(): Promise<void> {
    if (this.#stdinClosed) return;
    this.#stdinClosed = true;
    // The command may have ended without reading: then there is nothing to close.
    await this.#stdin.close().catch(() => {});
  }

  /** Send a signal to the command itself, not to the program that entered its namespaces. Does nothing once it has ended. */
  signal(signal: Deno.Signal): void {
    if (this.#exited) return;
    killIfRunning(this.pid, signal);
    // nsenter stops together with its child, and continues only on a signal of its own.
    if (signal === "SIGCONT" && this.pid !== this.#child.pid) {
      killIfRunning(this.#child.pid, signal);
    }
  }

  /**
   * Wait until output matches; returns the match. Throws after `timeoutMs`, or when the command ends first.
   * The index of the match counts from `from`.
   */
  async waitFor(pattern: RegExp, options: WaitForOptions = {}): Promise<RegExpExecArray> {
    const { timeoutMs = 5_000, stream = "both", from = 0 } = options;
    const anywhere = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ""));
    const look = () => {
      const texts = stream === "both" ? [this.stdout, this.stderr] : [this[stream]];
      return texts.map((text) => anywhere.exec(text.slice(from))).find((match) => match !== null);
    };
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const ended = this.#stdout.ended && this.#stderr.ended;
      const match = look();
      if (match) return match;
      const left = deadline - performance.now();
      if (ended || left <= 0) {
        throw new Error(
          `${this.#what}: ${
            ended ? "ended" : `${timeoutMs} ms passed`
          } without ${pattern} on ${stream}; ` +
            `stdout: ${JSON.stringify(this.stdout)} stderr: ${JSON.stringify(this.stderr)}`,
        );
      }
      await within(left, Promise.race([this.#stdout.changed(), this.#stderr.changed()]));
    }
  }

  /** Wait for the end. Kills the command and throws after `timeoutMs` (default 30,000). */
  async wait(options: { timeoutMs?: number } = {}): Promise<RunResult> {
    const { timeoutMs = 30_000 } = options;
    const finished = await within(timeoutMs, this.#finished);
    if (finished === undefined) {
      await this[Symbol.asyncDispose]();
      throw new Error(
        `${this.#what}: still running after ${timeoutMs} ms, killed; ` +
          `stdout: ${JSON.stringify(this.stdout)} stderr: ${JSON.stringify(this.stderr)}`,
      );
    }
    return { ...finished, stdout: this.stdout, stderr: this.stderr };
  }

  /** Kill the command (SIGKILL) if it is still running, and wait for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#exited) {
      // Only the command: the program that entered the namespaces then reaps it and ends. If that
      // were killed too, the command would be left to the machine's init, and its PID namespace
      // could not end before init reaps it.
      const inner = this.#options.forks ? onlyChild(this.#child.pid) : undefined;
      killIfRunning(inner ?? this.#child.pid, "SIGKILL");
    }
    await this.closeStdin();
    await this.#finished;
  }

  async #finish(): Promise<Omit<RunResult, "stdout" | "stderr">> {
    const { code, signal } = await this.#child.status;
    const ms = performance.now() - this.#begun;
    this.#exited = true;
    const ends = Promise.all([this.#stdout.end, this.#stderr.end]);
    const pipesHeld = await within(PIPE_GRACE_MS, ends) === undefined;
    await Promise.all([this.#stdout.cancel(), this.#stderr.cancel()]);
    await this.closeStdin();
    return { code, signal, ms, pipesHeld };
  }
}

/** Collects a byte stream as text while it arrives. */
class TextCollector {
  text = "";
  ended = false;
  /** Settles at the end of the stream. */
  readonly end: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #wake = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.end = this.#collect();
  }

  /** Settles at the next piece of text or the end. */
  changed(): Promise<void> {
    return this.#wake.promise;
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
    await this.end;
  }

  async #collect(): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await this.#reader.read();
      this.text += decoder.decode(value, { stream: !done });
      const wake = this.#wake;
      this.#wake = Promise.withResolvers<void>();
      this.ended = done;
      wake.resolve();
      if (done) break;
    }
  }
}

function onlyChild(pid: number): number | undefined {
  const children = ifRunning(() => Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`));
  const [first = ""] = (children ?? "").trim().split(" ");
  return first === "" ? undefined : Number(first);
}

/** The words of a process, joined by NUL; empty when it has ended. */
function commandLine(pid: number): string {
  return ifRunning(() => Deno.readTextFileSync(`/proc/${pid}/cmdline`))?.replace(/\0$/, "") ?? "";
}

/** Send a signal, unless the process has ended. */
export function killIfRunning(pid: number, signal: Deno.Signal): void {
  ifRunning(() => Deno.kill(pid, signal));
}

/** Result of `act`, or undefined if its process has ended. */
function ifRunning<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    // ESRCH does not always have a class of its own: procfs returns it for a process that ends
    // while it is read.
    const ended = error instanceof Deno.errors.NotFound || /os error 3\b|ESRCH/.test(String(error));
    if (ended) return undefined;
    throw error;
  }
}

/** Result of `promise`, or undefined if `ms` milliseconds pass first. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
