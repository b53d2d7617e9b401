import { openLockFile, tryLockExclusive } from "@hpk/core/ffi";
import { nameServerArguments, type NameServerPaths } from "@hpk/core";
import {
  argumentsOf,
  faultPoint,
  findProgram,
  identify,
  isAlive,
  OPTIONAL_PROGRAMS,
  pause,
  readPidFile,
  removeIfExists,
  runCommand,
} from "@hpk/core/os";

/** How long the server may take to end, in ms. */
const END_MS = 3_000;

/** How long another process may take to start it, in ms. */
const START_MS = 5_000;

const POLL_MS = 10;

/**
 * Ensures that the host's name server runs, on these addresses.
 *
 * @return Its process id, or the reason why it does not run, as a clause.
 */
export async function ensureNameServer(
  addresses: readonly string[],
  paths: NameServerPaths,
): Promise<number | string> {
  const program = findProgram(OPTIONAL_PROGRAMS.dnsmasq);
  if (program === undefined) return "dnsmasq is not installed";
  const args = nameServerArguments(addresses, paths);
  const runningAsWanted = () => {
    const pid = nameServerPid(paths);
    return pid !== undefined && argumentsOf(pid).slice(1).join("\0") === args.join("\0")
      ? pid
      : undefined;
  };
  const running = runningAsWanted();
  if (running !== undefined) return running;
  // Of concurrent starts, one starts it and the others wait.
  using lock = openLockFile(`${paths.pidFile}.lock`);
  const deadline = Date.now() + START_MS;
  while (!tryLockExclusive(lock)) {
    if (Date.now() > deadline) return "another process has not finished starting it";
    await pause(POLL_MS);
  }
  const started = runningAsWanted();
  if (started !== undefined) return started;
  if (nameServerPid(paths) !== undefined) await stopNameServer(paths);
  // It goes into the background once it listens, with exit status 0.
  const { code, stderr } = await runCommand(program, args);
  faultPoint("names.server");
  if (code !== 0) return stderr.replace(/^\s*dnsmasq: /, "").trim();
  return nameServerPid(paths) ?? "it ended at once";
}

/**
 * The process id of the name server that was started with these paths; undefined where it does not
 * run.
 */
export function nameServerPid(paths: NameServerPaths): number | undefined {
  const pid = readPidFile(paths.pidFile);
  return pid !== undefined && isNameServer(pid, paths) ? pid : undefined;
}

/** Stops every name server of this network namespace started with these paths, and waits for it. */
export async function stopNameServer(paths: NameServerPaths): Promise<void> {
  const own = namespaceOf("self");
  // By the process list, to find also one whose start was killed before it wrote its pid file.
  const servers = [...Deno.readDirSync("/proc")].map(({ name }) => name)
    .filter((name) => /^[0-9]+$/.test(name) && isNameServer(Number(name), paths))
    .filter((pid) => namespaceOf(pid) === own)
    .flatMap((pid) => identify(Number(pid)) ?? []);
  const deadline = Date.now() + END_MS;
  for (const server of servers) {
    signal(server.pid, "SIGTERM");
    while (isAlive(server) && Date.now() < deadline) await pause(POLL_MS);
    if (isAlive(server)) signal(server.pid, "SIGKILL");
  }
  removeIfExists(paths.pidFile);
}

function isNameServer(pid: number, { pidFile }: NameServerPaths): boolean {
  return argumentsOf(pid).includes(`--pid-file=${pidFile}`);
}

function namespaceOf(pid: string): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
