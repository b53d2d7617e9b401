import { HpkError, oneLine } from "../model/errors.ts";
import { logProgram } from "./log.ts";

/** What a program left behind. */
export interface CommandResult {
  /** Exit status, or 128 and the number of the signal that ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface CommandOptions {
  /** Given on standard input; without it, standard input is empty. */
  readonly stdin?: string;
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Bound on the whole run in ms; the program is killed at it. */
  readonly timeoutMs?: number;
}

/** A program that did not do what it was asked to. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly result: CommandResult;

  constructor(argv: readonly string[], result: CommandResult) {
    const said = oneLine(result.stderr || result.stdout) || "no message";
    super(`'${argv.join(" ")}' ended with ${result.code}: ${said}`);
    this.result = result;
  }
}

const DEFAULT_TIMEOUT_MS = 20_000;

const decoder = new TextDecoder();

/**
 * Runs a program to its end. Messages are asked for in the C locale, and standard output and error
 * are kept apart.
 *
 * @param path Absolute path, or a name looked for in PATH.
 * @return Its exit status and output, whatever the status; that of SIGKILL when its time was up.
 * @throws {HpkError} When it does not exist or cannot be executed.
 */
export async function runCommand(
  path: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(path, args, options);
  const ended = logProgram([path, ...args], child.pid);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  try {
    // Read from the start: a program may answer before it has been told everything.
    const output = child.output();
    if (options.stdin !== undefined) await feed(child, options.stdin);
    const { code, stdout, stderr } = await output;
    const late = isLate ? `ended after ${timeoutMs} ms without an answer\n` : "";
    const said = late + decoder.decode(stderr);
    ended(code, said);
    return { code, stdout: decoder.decode(stdout), stderr: said };
  } finally {
    clearTimeout(timer);
  }
}

function spawn(
  path: string,
  args: readonly string[],
  options: CommandOptions,
): Deno.ChildProcess {
  try {
    return new Deno.Command(path, {
      args: [...args],
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      env: { LC_ALL: "C", ...options.environment },
    }).spawn();
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    if (!isMissing && !(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new HpkError({
      what: `cannot run ${path}`,
      why: isMissing ? "it does not exist" : "it is not an executable program",
      fix: "install it; 'hpktainer doctor' names the packages",
    }, { cause: error });
  }
}

/**
 * Runs a program that has to succeed.
 *
 * @return Its standard output.
 * @throws {CommandError} When its exit status is not 0.
 */
export async function runOrThrow(
  path: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await runCommand(path, args, options);
  if (result.code !== 0) throw new CommandError([path, ...args], result);
  return result.stdout;
}

/** How a program is started that goes on without us. */
export interface DetachedOptions {
  /** How long it waits before it begins, in seconds; what it inherits it holds from now on. */
  readonly delay: number;
  /** An inheritable descriptor of a file that its standard error is added to; undefined for nowhere. */
  readonly errors?: number | undefined;
}

/** Waits, then becomes the program. The shell's own errors go where the program's do. */
const DETACHED = 'delay=$1; exec 2>>"$0"; shift; sleep "$delay"; exec "$@"';

/**
 * Starts a program that goes on without us: in a session of its own, in "/", with no standard streams
 * but perhaps standard error, and at a lower priority.
 *
 * @param setsid Path of setsid(1).
 * @param argv The program's path and its arguments.
 * @throws {CommandError} When it cannot be started.
 */
export async function startDetached(
  setsid: string,
  argv: readonly string[],
  { delay, errors }: DetachedOptions,
): Promise<void> {
  const log = errors === undefined ? "/dev/null" : `/proc/self/fd/${errors}`;
  const args = ["--fork", "nice", "sh", "-c", DETACHED, log, String(delay), ...argv];
  const child = new Deno.Command(setsid, {
    args,
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const ended = logProgram([setsid, ...args], child.pid);
  const { code } = await child.status;
  ended(code);
  if (code !== 0) throw new CommandError([setsid, ...args], { code, stdout: "", stderr: "" });
}

async function feed(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch (error) {
    // A program that ends before it has read everything says why by its exit status. Closing a stream
    // that has failed meanwhile is a TypeError.
    if (!(error instanceof Deno.errors.BrokenPipe || error instanceof TypeError)) throw error;
  }
}
