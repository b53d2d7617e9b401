import type { AddressFamily } from "../model/firewall.ts";
import { CommandError, runCommand, runOrThrow } from "./command.ts";
import { PROGRAMS, PROGRAMS6, requireProgram } from "./programs.ts";
import { ruleGeneration } from "./rule_generation.ts";

/**
 * How long to wait for another program to release the packet filter's lock, in s (iptables(8), -w).
 */
const LOCK_WAIT_S = 10;

/** The rules when they were last read, and their generation number. */
const known = new Map<AddressFamily, { readonly generation: number; readonly rules: string }>();

/**
 * All tables of the packet filter, as iptables-save(8) prints them. They are read again only if
 * they have changed since this process last read them.
 */
export async function saveRules(family: AddressFamily = "ipv4"): Promise<string> {
  const name = family === "ipv4" ? PROGRAMS.iptablesSave : PROGRAMS6.ip6tablesSave;
  const program = requireProgram(name);
  const generation = ruleGeneration(program);
  const before = known.get(family);
  if (generation !== undefined && before?.generation === generation) return before.rules;
  const rules = await runOrThrow(program, []);
  if (generation !== undefined && generation === ruleGeneration(program)) {
    known.set(family, { generation, rules });
  }
  return rules;
}

/**
 * Applies changes atomically, table by table, and leaves all other rules alone.
 *
 * @param changes Input of iptables-restore(8); the empty string changes nothing.
 * @throws {CommandError} If changes were refused; in that table nothing was changed.
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
