/** The processes of a private host. */
import { eventually, type PrivateHost } from "../harness/mod.ts";

/**
 * The process ids, as the host sees them, of the program's monitors.
 *
 * @param variable Only of those that have this variable in their environment.
 */
export function monitorPids(host: PrivateHost, variable = ""): number[] {
  return [...Deno.readDirSync(`${host.root}/proc`)].map(({ name }) => Number(name))
    .filter(Number.isInteger)
    .filter((pid) => wordsOf(host, pid, "cmdline").includes("monitor"))
    .filter((pid) => wordsOf(host, pid, "environ").some((word) => word.startsWith(variable)));
}

/** Longer than becoming another program takes, in ms: for a moment a process has no command line then. */
const EXEC_MS = 50;

/** Whether the host has no monitor, nor one that is about to begin. @param variable As for monitorPids. */
export async function hasNoMonitor(host: PrivateHost, variable = ""): Promise<boolean> {
  if (monitorPids(host, variable).length > 0) return false;
  await new Promise((resolve) => setTimeout(resolve, EXEC_MS));
  return monitorPids(host, variable).length === 0;
}

/** Kills the host's monitor, as an administrator or the kernel in want of memory might; waits for its end. */
export async function killMonitor(host: PrivateHost): Promise<void> {
  await eventually(() => monitorPids(host).length > 0, { what: "a monitor" });
  await eventually(async () => {
    const pids = monitorPids(host).map(String);
    // One of them may be gone already: the program that has started the other.
    if (pids.length > 0) await host.run("kill", ["-KILL", ...pids], { check: false });
    return await hasNoMonitor(host);
  }, { what: "the monitor's end" });
}

/** Waits until the host's monitor attaches those who ask: it tells others that it does not. */
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

/** The command line or environment of a process; empty when it has ended. */
function wordsOf(host: PrivateHost, pid: number, what: "cmdline" | "environ"): string[] {
  try {
    return Deno.readTextFileSync(`${host.root}/proc/${pid}/${what}`).split("\0");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || /os error 3\b/.test(String(error))) return [];
    throw error;
  }
}
