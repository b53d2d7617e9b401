import type { AddressFamily } from "../model/firewall.ts";
import { CommandError, runCommand, runOrThrow } from "./command.ts";
import { PROGRAMS, PROGRAMS6, requireProgram } from "./programs.ts";

/** How long to wait for another program that holds the packet filter's lock, in s (iptables(8), -w). */
const LOCK_WAIT_S = 10;

/** All tables of the packet filter, as iptables-save(8) prints them. */
export function saveRules(family: AddressFamily = "ipv4"): Promise<string> {
  const program = family === "ipv4" ? PROGRAMS.iptablesSave : PROGRAMS6.ip6tablesSave;
  return runOrThrow(requireProgram(program), []);
}

/**
 * Applies changes atomically, table by table, and leaves all other rules alone.
 *
 * @param changes Input of iptables-restore(8); the empty string changes nothing.
 * @throws {CommandError} When a table's changes were refused; of that table nothing was changed.
 */
export async function applyRules(
  changes: string,
  family: AddressFamily = "ipv4",
): Promise<void> {
  if (changes === "") return;
  const argv = ["--noflush", "-w", String(LOCK_WAIT_S)];
  const program = family === "ipv4" ? PROGRAMS.iptablesRestore : PROGRAMS6.ip6tablesRestore;
  const path = requireProgram(program);
  const result = await runCommand(path, argv, { stdin: changes });
  if (result.code !== 0) throw new CommandError([path, ...argv], result);
}
