import { pause } from "./process.ts";
import { type CgroupMount, parseCgroupMounts } from "../model/cgroup_mounts.ts";
import { listDirectory, readFileIfExists } from "./files.ts";

/** The control group hierarchies of this host; none if none is mounted. */
export function readCgroupMounts(): CgroupMount[] {
  const mounts = parseCgroupMounts(Deno.readTextFileSync("/proc/self/mountinfo"));
  // Something else may be mounted over one.
  return mounts.filter(({ path }) => listDirectory(path)?.includes("cgroup.procs"));
}

/**
 * Creates a control group in every hierarchy, ready for processes.
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
        // Another container ended at this moment, and removed the group above both as well.
        if (!(error instanceof Deno.errors.NotFound) || tries === MOST_TRIES) throw error;
      }
    }
  }
}

/** How often to retry if groups are removed while others are created in them. */
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

/**
 * Gives a group of the cpuset controller its CPUs and memory nodes; a new one has none (cpuset(7)).
 */
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
 * Removes a control group from every hierarchy, with the groups in it, and its parent if that is
 * empty. Its processes have a grace period, then they are killed.
 *
 * @param name As in {@linkcode makeCgroup}.
 * @param graceMs How long to wait for processes to end by themselves, in ms.
 * @throws {Error} If a process survives SIGKILL.
 */
export async function removeCgroup(name: string, graceMs: number): Promise<void> {
  const groups = readCgroupMounts().map(({ path }) => `${path}/${name}`);
  const isEmpty = () => groups.every((group) => processesIn(group).size === 0);
  await waitUntil(isEmpty, graceMs);
  const deadline = Date.now() + KILL_TIMEOUT_MS;
  // A killed process may have started another meanwhile.
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
    await pause(POLL_MS);
  }
}

/** Processes of a group and its descendants; none if there is no such group. */
function processesIn(group: string): Set<number> {
  const found = new Set<number>();
  for (const path of tree(group)) {
    for (const line of readProcesses(path).split("\n")) {
      // A process of another PID namespace has no pid here.
      if (Number(line) > 0) found.add(Number(line));
    }
  }
  return found;
}

function readProcesses(group: string): string {
  try {
    return Deno.readTextFileSync(`${group}/cgroup.procs`);
  } catch {
    // It is gone, or is a threaded group, which lists no processes.
    return "";
  }
}

/** A group and its descendants, innermost first. */
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

/** Removes a group unless it is in use. */
function removeIfUnused(group: string): void {
  try {
    Deno.removeSync(group);
  } catch {
    // It has groups in it, or is gone.
  }
}
