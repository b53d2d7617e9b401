/**
 * The log, on standard error. HPK_LOG names the level. Cheap where a line is not wanted: what makes
 * its text is called only where it is shown.
 */

import {
  formatCommandLine,
  formatLogLine,
  LOG_LEVELS,
  LOG_VARIABLE,
  type LogForm,
  type LogLevel,
  parseLogLevel,
} from "../model/log_line.ts";

const encoder = new TextEncoder();

/** The level of a command; a failure is reported by the command itself. */
const USUAL: LogLevel = "warn";

let threshold: number | undefined;
let form: () => LogForm = commandForm;
let afterLine: () => void = () => {};

/**
 * Chooses the level: that of HPK_LOG, or another where HPK_LOG names none.
 *
 * @param usual The level where HPK_LOG is not set.
 * @throws {HpkError} When HPK_LOG names no level.
 */
export function openLog(usual: LogLevel = USUAL): void {
  threshold = LOG_LEVELS.indexOf(parseLogLevel(Deno.env.get(LOG_VARIABLE)) ?? usual);
}

/** Shows each step and each program from now on, whatever HPK_LOG says. */
export function logEverything(): void {
  threshold = LOG_LEVELS.length - 1;
}

/**
 * Writes lines in the form of a service from now on.
 *
 * @param where What standard error is connected to.
 * @param written Called after each line.
 */
export function logAsService(where: "journal" | "file", written: () => void): void {
  form = () => where === "file" ? { kind: where, time: new Date().toISOString() } : { kind: where };
  afterLine = written;
}

/** Whether lines of a level are shown. */
export function logs(level: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= (threshold ??= readThreshold());
}

/** Writes a line; where it cannot be written, the work goes on without. */
export function log(level: LogLevel, text: string | (() => string)): void {
  if (!logs(level)) return;
  try {
    const line = formatLogLine(level, typeof text === "string" ? text : text(), form());
    Deno.stderr.writeSync(encoder.encode(line));
    afterLine();
  } catch {
    // The disk is full, or nobody reads any more.
  }
}

/**
 * Logs that a program is run, and how it ended.
 *
 * @param argv Its path and its arguments.
 * @param pid Undefined where it takes the place of this process.
 * @return To be called when it has ended, with its exit status and what it has said on standard error.
 */
export function logProgram(
  argv: readonly string[],
  pid?: number,
): (status: number, said?: string) => void {
  if (!logs("debug")) return () => {};
  if (pid === undefined) {
    log("debug", `become ${formatCommandLine(argv)}`);
    return () => {};
  }
  const start = performance.now();
  const name = `${argv[0]!.replace(/^.*\//, "")}[${pid}]`;
  log("debug", `run ${name}: ${formatCommandLine(argv)}`);
  return (status, said = "") => {
    const message = status === 0 || said === "" ? "" : `: ${said}`;
    const ms = (performance.now() - start).toFixed(1);
    log("debug", `end ${name}: status ${status} after ${ms} ms${message}`);
  };
}

/** A level that cannot be read is an error of the code that opens the log. */
function readThreshold(): number {
  try {
    return LOG_LEVELS.indexOf(parseLogLevel(Deno.env.get(LOG_VARIABLE)) ?? USUAL);
  } catch {
    return LOG_LEVELS.indexOf(USUAL);
  }
}

function commandForm(): LogForm {
  const program = Deno.build.standalone ? Deno.execPath().replace(/^.*\//, "") : "hpktainer";
  return { kind: "command", program, ms: performance.now() };
}
