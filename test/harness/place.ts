/**
 * A place where commands run: the machine itself, a private host, or any other set of namespaces reached by a command prefix.
 */
import { Background, type SpawnOptions } from "./background.ts";
import type { RunResult } from "./run_result.ts";

/** How {@linkcode Place.run} runs a command. */
export interface RunOptions {
  /** Variables added to the test's own environment. */
  env?: Record<string, string>;
  /** Start from an empty environment (plus `env`) instead of the test's own. Default false. */
  clearEnv?: boolean;
  /** Text given on standard input; without it standard input is empty. */
  stdin?: string;
  /** Working directory, as the place sees it. Default: `/` in namespaces, the test's own directory on the machine. */
  cwd?: string;
  /** Bound in milliseconds; at the end the command is killed and `run` throws. Default 30,000. */
  timeoutMs?: number;
  /** Throw when the command does not exit 0. Default true. */
  check?: boolean;
}

/** Somewhere commands can run. */
export interface Place {
  /** What messages call it. */
  readonly name: string;
  /** Run a command to its end. Throws when it times out, or fails and `check` is not false. */
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Run a `sh -e` script given as text to its end. */
  sh(script: string, options?: RunOptions): Promise<RunResult>;
  /** Start a command and return while it runs. Dispose of it with `await using`. */
  spawn(command: string, args?: readonly string[], options?: SpawnOptions): Promise<Background>;
}

/** A {@linkcode Place} reached by putting `prefix()` (such as `nsenter … --`) before each command. */
export class PrefixedPlace implements Place {
  /** What messages call it. */
  readonly name: string;
  readonly #prefix: () => readonly string[];
  readonly #forks: boolean;

  /**
   * Describe a place; nothing runs yet.
   *
   * @param name What messages call it.
   * @param prefix The words before each command; asked for at each call, as a reboot changes them.
   * @param forks True when the prefix command forks and waits (`nsenter -p`), so the command is its only child.
   */
  constructor(name: string, prefix: () => readonly string[], forks: boolean) {
    this.name = name;
    this.#prefix = prefix;
    this.#forks = forks;
  }

  /** See {@linkcode Place.run}. */
  async run(
    command: string,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<RunResult> {
    const { timeoutMs = 30_000, check = true, stdin, ...spawnOptions } = options;
    const process = this.#start(command, args, spawnOptions);
    await using _ = process;
    if (stdin !== undefined) await process.write(stdin).catch(ignoreBrokenPipe);
    await process.closeStdin();
    const result = await process.wait({ timeoutMs });
    if (check && result.code !== 0) {
      throw new Error(
        `${this.name}: ${quote(command, args)} exited with ${result.code}: ` +
          `${result.stderr.trim() || result.stdout.trim() || "(no output)"}`,
      );
    }
    return result;
  }

  /** See {@linkcode Place.sh}. */
  sh(script: string, options: RunOptions = {}): Promise<RunResult> {
    return this.run("sh", ["-ec", script], options);
  }

  /** See {@linkcode Place.spawn}. */
  async spawn(
    command: string,
    args: readonly string[] = [],
    options: SpawnOptions = {},
  ): Promise<Background> {
    const process = this.#start(command, args, options);
    try {
      await process.started();
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
    return process;
  }

  #start(command: string, args: readonly string[], options: SpawnOptions): Background {
    const { cwd, ...rest } = options;
    const words = [command, ...args];
    const launchers: string[] = [];
    for (const prefix of [cwd === undefined ? [] : ["env", "-C", cwd, "--"], this.#prefix()]) {
      if (prefix.length > 0) {
        words.unshift(...prefix);
        launchers.push(words.join("\0"));
      }
    }
    return new Background(`${this.name}: ${quote(command, args)}`, words, {
      ...rest,
      forks: this.#forks,
      launchers,
    });
  }
}

/** The machine the tests run on. Only for commands that change nothing on it. */
export const machine: Place = new PrefixedPlace("machine", () => [], false);

function quote(command: string, args: readonly string[]): string {
  return [command, ...args]
    .map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
    .join(" ");
}

function ignoreBrokenPipe(error: unknown): void {
  if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
}
