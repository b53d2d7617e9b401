import { readFileIfExists } from "./files.ts";
import type { ProcessId } from "../model/ledger_record.ts";

/**
 * Positions after the program's name, which is field 2 of proc_pid_stat(5): number of threads
 * (field 20) and start time (field 22).
 */
const THREADS_AFTER_NAME = 17;
const START_TIME_AFTER_NAME = 19;

let knownBootId: string | undefined;

/** Id of the current boot of the machine (random(4), boot_id). */
export function bootId(): string {
  knownBootId ??= Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  return knownBootId;
}

/**
 * Start time of a process in clock ticks since boot.
 *
 * @return Undefined if there is no such process, or it has ended and only waits to be reaped.
 */
export function startTimeOf(pid: number): number | undefined {
  const first = readStat(pid);
  if (first === undefined || !first.ended) return first?.startTime;
  // While a thread other than the first replaces the program, execve(2), a read that had already
  // begun sees the process as ended.
  const second = readStat(pid);
  return second === undefined || second.ended ? undefined : second.startTime;
}

function readStat(pid: number): { startTime: number; ended: boolean } | undefined {
  const stat = readOfProcess(pid, "stat");
  if (stat === undefined) return undefined;
  // The name is in parentheses and may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A first thread that has ended is a zombie as long as another thread lives.
  const isZombie = fields[0] === "Z" || fields[0] === "X";
  return {
    startTime: Number(fields[START_TIME_AFTER_NAME]),
    ended: isZombie && Number(fields[THREADS_AFTER_NAME]) <= 1,
  };
}

/** Seconds since boot, pauses of the machine included (proc_uptime(5)). */
export function readUptime(): number {
  return Number(Deno.readTextFileSync("/proc/uptime").split(" ", 1)[0]);
}

/** Reads a file that holds the number of a process; undefined where there is none, or no number in it. */
export function readPidFile(path: string): number | undefined {
  const pid = Number(readFileIfExists(path)?.trim());
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

/** Waits for a time in ms. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** This process. */
export function thisProcess(): ProcessId {
  return identify(Deno.pid)!;
}

/** Identifies a process by its pid; undefined if there is none. */
export function identify(pid: number): ProcessId | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime, bootId: bootId() };
}

/** Whether a process is still the one that was identified, and alive. */
export function isAlive(process: ProcessId): boolean {
  return process.bootId === bootId() && startTimeOf(process.pid) === process.startTime;
}

/**
 * Arguments of a process, the program's name first (proc_pid_cmdline(5)).
 *
 * @return None if there is no such process, or it is ending: its memory is freed before its files
 * are
  closed, and its files before it disappears.
 */
export function argumentsOf(pid: number): string[] {
  let text: string | undefined;
  let before: string | undefined;
  do {
    before = text;
    text = readOfProcess(pid, "cmdline");
    // It is read in pieces, and truncated if the memory is freed meanwhile: so read until it is
    // stable.
  } while (text !== before);
  return text?.split("\0").slice(0, -1) ?? [];
}

/**
 * Name of the program that a process runs, truncated to 15 bytes (proc_pid_comm(5)). It remains
 * readable until the process disappears.
 *
 * @return Undefined if there is no such process.
 */
export function programNameOf(pid: number): string | undefined {
  return readOfProcess(pid, "comm")?.trimEnd();
}

function readOfProcess(pid: number, file: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`);
  } catch {
    return undefined;
  }
}

/**
 * The processes in a network namespace.
 *
 * @param path A file that names the namespace, such as /run/netns/NAME.
 * @return Their pids; none if there is no such namespace.
 */
export function processesInNamespace(path: string): number[] {
  const inode = inodeOf(path);
  if (inode === undefined) return [];
  const pids = [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name)).filter(
    Number.isInteger,
  );
  return pids.filter((pid) => inodeOf(`/proc/${pid}/ns/net`) === inode);
}

function inodeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).ino ?? undefined;
  } catch {
    return undefined;
  }
}
