/** The processes of a private host. */
import { eventually, type PrivateHost } from "./mod.ts";

/**
 * The process ids, as the host sees them, of the program's monitors.
 *
 * @param variable Only of those that have this variable in their environment.
 */
export function monitorPids(host: PrivateHost, variable = ""): number[] {
  return [...Deno.readDirSync(`${host.root}/proc`)].map(({ name }) => Number(name))
    .filter(Number.isInteger)
    .filter((pid) => isMonitor(host, pid))
    .filter((pid) => {
      const environment = wordsOf(host, pid, "environ");
      return environment.length === 0 || environment.some((word) => word.startsWith(variable));
    });
}

/**
 * Whether a process is a monitor or about to become one. On a busy machine it may stay long between
 * two programs, when it has neither command line nor environment; but it has the monitor's lock.
 */
function isMonitor(host: PrivateHost, pid: number): boolean {
  const words = wordsOf(host, pid, "cmdline");
  return words.includes("monitor") || (words.length === 0 && hasOpen(host, pid, LOCK));
}

const LOCK = "/run/hpktainer/monitor.lock";

/** Kills the host's monitor, as an administrator or the OOM killer might; waits for its end. */
export async function killMonitor(host: PrivateHost): Promise<void> {
  await eventually(() => monitorPids(host).length > 0, { what: "a monitor" });
  await eventually(async () => {
    const pids = monitorPids(host).map(String);
    // One of them may be gone already: the program that started the other.
    if (pids.length > 0) await host.run("kill", ["-KILL", ...pids], { check: false });
    // The pause before a monitor begins has the lock too, and would keep a start from starting another.
    const { code } = await host.sh(`[ ! -e ${LOCK} ] || flock -n ${LOCK} true`, { check: false });
    return code === 0 && monitorPids(host).length === 0;
  }, { what: "the monitor's end" });
}

/** Waits until the host's monitor attaches containers for others: until then it refuses. */
export async function awaitService(host: PrivateHost): Promise<void> {
  const ask = `await (await Deno.connect({ transport: "unix", path: "/run/hpktainer/attach.sock" }))
    .read(new Uint8Array(9))`;
  await eventually(async () => {
    const { code } = await host.run(Deno.execPath(), ["eval", "--no-config", ask], {
      check: false,
    });
    return code === 0;
  }, { what: "a monitor that attaches", timeoutMs: 20_000 });
}

/** The command line or environment of a process; empty when it has ended, or has none. */
function wordsOf(host: PrivateHost, pid: number, what: "cmdline" | "environ"): string[] {
  const text = unlessEnded(() => Deno.readTextFileSync(`${host.root}/proc/${pid}/${what}`)) ?? "";
  return text === "" ? [] : text.split("\0");
}

/** Whether a process has a file open. */
function hasOpen(host: PrivateHost, pid: number, path: string): boolean {
  const directory = `${host.root}/proc/${pid}/fd`;
  const descriptors = unlessEnded(() => [...Deno.readDirSync(directory)]) ?? [];
  return descriptors.some(({ name }) =>
    unlessEnded(() => Deno.readLinkSync(`${directory}/${name}`))?.endsWith(path)
  );
}

/** What is read of a process or its descriptors; undefined if it has ended meanwhile. */
function unlessEnded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || /os error 3\b/.test(String(error))) {
      return undefined;
    }
    throw error;
  }
}
