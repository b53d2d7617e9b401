import { type HostState, parseHostState } from "@hpk/core";
import { runCommand, runOrThrow } from "@hpk/core/os";
import { readFileIfExists } from "@hpk/core/os";
import { findProgram, type Program, PROGRAMS, requireProgram } from "@hpk/core/os";

const SYSCTL_ROOT = "/proc/sys";

/** Programs that print the packet filter, if installed. */
const IP6TABLES_SAVE: Program = { ...PROGRAMS.iptablesSave, name: "ip6tables-save" };
const NFT: Program = { ...PROGRAMS.iptablesSave, name: "nft", fix: "install nftables" };

/** The part of the packet filter that each of them prints. */
const SHOWN: readonly (readonly [Program, string])[] = [
  [PROGRAMS.iptablesSave, "iptables"],
  [IP6TABLES_SAVE, "ip6tables"],
  [NFT, "nf_tables"],
];

/** The parts of the host's packet filter that readHostState() cannot read here, one line each. */
export function unreadParts(): string[] {
  return SHOWN.filter(([program]) => findProgram(program) === undefined).map((
    [{ name, fix }, part],
  ) => `the host's packet filter is compared without ${part}: ${name} is not installed; ${fix}`);
}

/**
 * Reads the state of this network namespace, and resolv.conf.
 *
 * @throws {CommandError} When a program fails.
 */
export async function readHostState(): Promise<HostState> {
  const ip = requireProgram(PROGRAMS.ip);
  const run = (...args: string[]): Promise<string> => runOrThrow(ip, ["-json", ...args]);
  const [links, routes4, routes6, rules4, rules6, iptables, ip6tables, nftables] = await Promise
    .all([
      run("-details", "address", "show"),
      run("-4", "route", "show", "table", "all"),
      run("-6", "route", "show", "table", "all"),
      run("-4", "rule", "show"),
      run("-6", "rule", "show"),
      outputOf(PROGRAMS.iptablesSave, []),
      outputOf(IP6TABLES_SAVE, []),
      outputOf(NFT, ["-json", "list", "ruleset"]),
    ]);
  return parseHostState({
    links,
    routes: { ipv4: routes4, ipv6: routes6 },
    rules: { ipv4: rules4, ipv6: rules6 },
    iptables: { iptables, ip6tables },
    nftables,
    sysctls: readSysctls("net"),
    resolver: readFileIfExists("/etc/resolv.conf"),
  });
}

/** A program's output; empty if it is not installed, or the kernel lacks the tables. */
async function outputOf(program: Program, args: readonly string[]): Promise<string> {
  const path = findProgram(program);
  if (path === undefined) return "";
  const { code, stdout } = await runCommand(path, args);
  return code === 0 ? stdout : "";
}

/**
 * Reads all readable settings below a name.
 *
 * @param root Such as "net".
 * @return Values by name, such as "net.ipv4.ip_forward".
 */
function readSysctls(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string, name: string): void => {
    for (const entry of Deno.readDirSync(path)) {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory) visitIfThere(inner, `${name}.${entry.name}`);
      else {
        const value = readSetting(inner);
        if (value !== undefined) found.set(`${name}.${entry.name}`, value);
      }
    }
  };
  // A link that is removed meanwhile takes its settings with it.
  const visitIfThere = (path: string, name: string): void => {
    try {
      visit(path, name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  visit(`${SYSCTL_ROOT}/${root}`, root);
  return found;
}

/** A setting's value; undefined if it is write-only or gone. */
function readSetting(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return undefined;
  }
}
