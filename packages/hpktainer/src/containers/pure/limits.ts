import { HpkError } from "@hpk/core";
import { readInteger, readSize } from "./sizes.ts";

/** Resource limits of a container; undefined for none. */
export interface Limits {
  /** Bytes. */
  readonly memory: number | undefined;
  /** Bytes of memory and swap together; -1 for no limit. */
  readonly memorySwap: number | undefined;
  /** Processors. */
  readonly cpus: number | undefined;
  readonly cpuShares: number | undefined;
  /** A list such as "0-2,4". */
  readonly cpuset: string | undefined;
  /** Processes; undefined also for "no limit". */
  readonly pids: number | undefined;
  readonly rlimits: readonly ResourceLimit[];
  readonly oomScore: number | undefined;
}

/** A limit of each process, setrlimit(2). */
export interface ResourceLimit {
  /** Such as "RLIMIT_NOFILE". */
  readonly type: string;
  /** -1 for no limit. */
  readonly soft: number;
  readonly hard: number;
}

/** Docker's minimum memory limit, in bytes: with less, nothing starts. */
const LEAST_MEMORY = 6 * 1024 * 1024;

/** Names of resource limits (setrlimit(2)). */
const RLIMITS = [
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
];

/**
 * Reads the options that limit a container.
 *
 * @param one Returns the last value of an option.
 * @param all Returns every value of an option.
 * @throws {HpkError} On a wrong value.
 */
export function readLimits(
  one: (name: string) => string | undefined,
  all: (name: string) => readonly string[],
): Limits {
  const given = <T>(name: string, read: (text: string) => T): T | undefined => {
    const text = one(name);
    return text === undefined ? undefined : read(text);
  };
  const memory = given("memory", readMemory);
  return {
    memory,
    memorySwap: given("memory-swap", (text) => readMemorySwap(text, memory)),
    cpus: given("cpus", readCpus),
    cpuShares: given("cpu-shares", (text) => readInteger("--cpu-shares", text, 2, 262_144)),
    cpuset: given("cpuset-cpus", readCpuList),
    pids: given("pids-limit", readPids),
    rlimits: all("ulimit").map(readRlimit),
    oomScore: given(
      "oom-score-adj",
      (text) => readInteger("--oom-score-adj", text, -1000, 1000),
    ),
  };
}

function readMemory(text: string): number | undefined {
  const bytes = readSize("-m", text);
  if (bytes === 0) return undefined;
  if (bytes >= LEAST_MEMORY) return bytes;
  throw new HpkError({
    what: `cannot use -m '${text}'`,
    why: "no container starts with so little",
    fix: "give at least 6m",
  });
}

function readMemorySwap(text: string, memory: number | undefined): number {
  if (text.trim() === "-1") return -1;
  const bytes = readSize("--memory-swap", text);
  if (memory !== undefined && bytes >= memory) return bytes;
  throw new HpkError({
    what: `cannot use --memory-swap '${text}'`,
    why: "it counts memory and swap together, and is less than -m, or -m is not given",
    fix: "give -m, and at least as much",
  });
}

function readCpus(text: string): number {
  const cpus = /^[0-9]*\.?[0-9]+$/.test(text) ? Number(text) : NaN;
  if (cpus >= 0.01 && cpus <= 1024) return cpus;
  throw new HpkError({
    what: `cannot use --cpus '${text}'`,
    why: "it is not a number of CPUs",
    fix: "give one such as 0.5 or 2",
  });
}

function readCpuList(text: string): string {
  if (/^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$/.test(text)) return text;
  throw new HpkError({
    what: `cannot use --cpuset-cpus '${text}'`,
    why: "it is not a list of CPUs",
    fix: "write it as 0-2,4",
  });
}

function readPids(text: string): number | undefined {
  const pids = readInteger("--pids-limit", text, -1, 4_194_304);
  return pids > 0 ? pids : undefined;
}

function readRlimit(text: string): ResourceLimit {
  const match = /^([a-z]+)=(-1|unlimited|[0-9]+)(?::(-1|unlimited|[0-9]+))?$/.exec(text);
  const [, name = "", soft = "", hard = soft] = match ?? [];
  const limit = { type: `RLIMIT_${name.toUpperCase()}`, soft: toLimit(soft), hard: toLimit(hard) };
  const isOrdered = limit.hard === -1 || (limit.soft !== -1 && limit.soft <= limit.hard);
  if (match !== null && RLIMITS.includes(name) && isOrdered) return limit;
  throw new HpkError({
    what: `cannot use --ulimit '${text}'`,
    why: match === null || isOrdered
      ? "it is not a resource limit"
      : "the soft limit is above the hard one",
    fix: "write NAME=SOFT or NAME=SOFT:HARD, such as nofile=1024:4096",
  });
}

function toLimit(text: string): number {
  return text === "unlimited" ? -1 : Number(text);
}
