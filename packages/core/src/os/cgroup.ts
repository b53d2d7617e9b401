import { type CgroupMount, parseCgroupMounts } from "../model/cgroup_mounts.ts";
import { listDirectory, readFileIfExists } from "./files.ts";

/** The hierarchies of control groups of this host; none where none is mounted. */
export function readCgroupMounts(): CgroupMount[] {
  const mounts = parseCgroupMounts(Deno.readTextFileSync("/proc/self/mountinfo"));
  // Something else may be mounted over one.
  return mounts.filter(({ path }) => listDirectory(path)?.includes("cgroup.procs"));
}

/**
 * Makes a control group in every hierarchy, ready for processes.
 *
 * @param mounts The hierarchies.
 * @param name Its path from their roots, such as "hpktainer/0123456789ab".
 */
export function makeCgroup(mounts: readonly CgroupMount[], name: string): void {
  for (const mount of mounts) {
    for (let tries = 1;; tries++) {
      try {
        makeIn(mount, name.split("/"));
        break;
      } catch (error) {
        // Another container has ended in this moment, and took the group above both along.
        if (!(error instanceof Deno.errors.NotFound) || tries === MOST_TRIES) throw error;
      }
    }
  }
}

/** How often groups may go while others are made in them. */
const MOST_TRIES = 10;

function makeIn({ path, hasCpuset }: CgroupMount, steps: readonly string[]): void {
  for (let length = 1; length <= steps.length; length++) {
    const group = [path, ...steps.slice(0, length)].join("/");
    const parent = [path, ...steps.slice(0, length - 1)].join("/");
    makeGroup(group);
    if (hasCpuset) inheritCpuset(parent, group);
  }
}

function makeGroup(path: string): void {
  try {
    Deno.mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** A new group of the cpuset controller has no processors and memory nodes (cpuset(7)). */
function inheritCpuset(parent: string, group: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (readFileIfExists(`${group}/${file}`)?.trim() !== "") continue;
    Deno.writeTextFileSync(`${group}/${file}`, Deno.readTextFileSync(`${parent}/${file}`).trim());
  }
}

const POLL_MS = 20;

/** How long processes have to end after SIGKILL, in ms. */
const KILL_TIMEOUT_MS = 5_000;

/**
 * Removes a control group from every hierarchy, with the groups in it, and the empty one above it.
 * Processes in it have a time to end by themselves, then they are killed.
 *
 * @param name As in {@linkcode makeCgroup}.
 * @param graceMs How long to wait for processes to end by themselves, in ms.
 * @throws {Error} When a process does not end even so.
 */
export async function removeCgroup(name: string, graceMs: number): Promise<void> {
  const groups = readCgroupMounts().map(({ path }) => `${path}/${name}`);
  const isEmpty = () => groups.every((group) => processesIn(group).size === 0);
  await waitUntil(isEmpty, graceMs);
  const deadline = Date.now() + KILL_TIMEOUT_MS;
  // What is killed may have started another meanwhile.
  while (!isEmpty() && Date.now() < deadline) {
    for (const group of groups) for (const pid of processesIn(group)) kill(pid);
    await waitUntil(isEmpty, POLL_MS);
  }
  for (const group of groups) {
    removeTree(group);
    removeIfUnused(group.slice(0, group.lastIndexOf("/")));
  }
}

async function waitUntil(condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition() && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Processes of a group and of the groups in it; none where there is no such group. */
function processesIn(group: string): Set<number> {
  const found = new Set<number>();
  for (const path of tree(group)) {
    for (const line of readProcesses(path).split("\n")) {
      // A process of another process namespace has no number here.
      if (Number(line) > 0) found.add(Number(line));
    }
  }
  return found;
}

function readProcesses(group: string): string {
  try {
    return Deno.readTextFileSync(`${group}/cgroup.procs`);
  } catch {
    // It is gone, or of a kind that has threads only.
    return "";
  }
}

/** A group and all in it, innermost first. */
function tree(group: string): string[] {
  const inner = (listDirectory(group) ?? []).filter((name) => isDirectory(`${group}/${name}`));
  return [...inner.flatMap((name) => tree(`${group}/${name}`)), group];
}

function isDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function removeTree(group: string): void {
  for (const path of tree(group)) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Removes a group unless another has need of it. */
function removeIfUnused(group: string): void {
  try {
    Deno.removeSync(group);
  } catch {
    // It has groups in it, or is gone.
  }
}
