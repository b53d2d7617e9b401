/** Waits until a booted container is up, and queries the result of its boot. */

import { type BootReport, HpkError, type ProcessId } from "@hpk/core";
import { exists, isAlive, pause, runCommand } from "@hpk/core/os";

/** The instance, and how long to wait. */
export interface BootedInstance {
  readonly name: string;
  /** Path of Apptainer, and variables to add to its environment. */
  readonly apptainer: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Its first process. */
  readonly owner: ProcessId;
  /** Apptainer's options before the subcommand. */
  readonly globals: readonly string[];
  readonly timeoutMs: number;
}

/**
 * How long systemd may take to open its socket, and another first process to become systemd, in ms.
 */
const SOCKET_TIMEOUT_MS = 30_000;
const OTHER_INIT_TIMEOUT_MS = 3_000;
const POLL_MS = 50;

/** The states of systemctl(1) is-system-running after a boot. */
const FINAL_STATES = ["running", "degraded", "maintenance", "stopping"];

/**
 * Waits until systemd has finished the boot, or the time is up.
 *
 * @throws {HpkError} When the container ends meanwhile.
 */
export async function awaitBoot(
  instance: BootedInstance,
): Promise<Pick<BootReport, "state" | "failedUnits">> {
  const deadline = Date.now() + instance.timeoutMs;
  if (!await awaitSystemd(instance, Math.min(deadline, Date.now() + SOCKET_TIMEOUT_MS))) {
    return { state: "unknown", failedUnits: [] };
  }
  let state = "starting";
  while (!FINAL_STATES.includes(state) && Date.now() < deadline) {
    checkAlive(instance);
    const args = ["is-system-running", "--wait"];
    const said = (await systemctl(instance, args, deadline - Date.now())).trim();
    // The bus may not answer yet.
    if (FINAL_STATES.includes(said)) state = said;
    else await pause(POLL_MS);
  }
  checkAlive(instance);
  return { state, failedUnits: state === "running" ? [] : await failedUnits(instance) };
}

/** Waits for systemd's private socket, which it opens before it starts any unit. */
async function awaitSystemd(instance: BootedInstance, deadline: number): Promise<boolean> {
  const { pid } = instance.owner;
  let otherSince: number | undefined;
  while (Date.now() < deadline) {
    checkAlive(instance);
    if (hasSystemd(pid)) return true;
    // A script may still exec systemd.
    otherSince = isOtherInit(pid) ? otherSince ?? Date.now() : undefined;
    if (otherSince !== undefined && Date.now() - otherSince > OTHER_INIT_TIMEOUT_MS) return false;
    await pause(POLL_MS);
  }
  return false;
}

/** Whether the first process is neither systemd nor Apptainer's starter, which becomes the init. */
function isOtherInit(pid: number): boolean {
  try {
    return !/\/(systemd|starter|starter-suid)$/.test(Deno.readLinkSync(`/proc/${pid}/exe`));
  } catch {
    return false;
  }
}

function hasSystemd(pid: number): boolean {
  return exists(`/proc/${pid}/root/run/systemd/private`);
}

async function failedUnits(instance: BootedInstance): Promise<string[]> {
  const args = ["list-units", "--state=failed", "--plain", "--no-legend", "--no-pager", "--full"];
  const listed = await systemctl(instance, args, SOCKET_TIMEOUT_MS);
  return listed.split("\n").map((line) => line.trim().split(/\s+/)[0]!).filter((unit) =>
    unit !== ""
  );
}

async function systemctl(
  { name, apptainer, environment, globals }: BootedInstance,
  args: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const exec = ["exec", "--cleanenv", "--pwd", "/", `instance://${name}`, "systemctl", ...args];
  const { stdout } = await runCommand(apptainer, [...globals, ...exec], {
    environment,
    timeoutMs: Math.max(timeoutMs, POLL_MS),
  });
  return stdout;
}

function checkAlive({ name, owner }: BootedInstance): void {
  if (isAlive(owner)) return;
  throw new HpkError({
    what: `cannot boot '${name}'`,
    why: "its first process has ended",
    fix: "see its log below ~/.apptainer/instances/logs, and that the image has an init",
  });
}
