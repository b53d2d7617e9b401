import { defaultUplink, type HostFacts, parseLinks, parseRoutes } from "../model/host_facts.ts";
import { parseRoutes6, type Route6 } from "../model/host_facts6.ts";
import { CommandError, runCommand, runOrThrow } from "./command.ts";
import { PROGRAMS, requireProgram } from "./programs.ts";
import { hasIpv6 } from "./sysctl.ts";

/** Directory of named network namespaces (ip-netns(8)). */
export const NAMESPACE_DIRECTORY = "/run/netns";

/**
 * Reads the host's IPv4 routes, and those of its links that have an IPv4 address, are the uplink, or
 * are asked for: of a thousand links of containers none need be read.
 *
 * @param names Links that are looked for, whether they have an address or not.
 */
export async function readHostFacts(names: readonly string[]): Promise<HostFacts> {
  const ip = requireProgram(PROGRAMS.ip);
  const [addressed, routed] = await Promise.all([
    runOrThrow(ip, ["-json", "-details", "-4", "address", "show"]),
    runOrThrow(ip, ["-json", "-4", "route", "show"]),
  ]);
  const links = parseLinks(addressed);
  const routes = parseRoutes(routed);
  const isKnown = (name: string) => links.some((link) => link.name === name);
  const uplink = defaultUplink({ links, routes }, "");
  const wanted = new Set([...names, ...(uplink === undefined ? [] : [uplink])]);
  const existing = linkNames();
  for (const name of wanted) {
    if (isKnown(name) || !existing.has(name)) continue;
    // One that goes in this moment is one that is not there.
    const { code, stdout } = await runCommand(ip, [
      "-json",
      "-details",
      "link",
      "show",
      "dev",
      name,
    ]);
    if (code === 0) links.push(...parseLinks(stdout));
  }
  // Between the two looks a link may go, such as our bridge with its last container: its routes, by
  // "if10" to ip(8), go with it.
  const isGone = (device: string) => /^if[0-9]+$/.test(device) && !existing.has(device);
  return { links, routes: routes.filter(({ device }) => device === undefined || !isGone(device)) };
}

/**
 * Reads the host's IPv6 routes and addresses.
 *
 * @return Undefined on a host without IPv6.
 */
export async function readRoutes6(): Promise<Route6[] | undefined> {
  if (!hasIpv6()) return undefined;
  const args = ["-6", "-json", "route", "show", "table", "all"];
  return parseRoutes6(await runOrThrow(requireProgram(PROGRAMS.ip), args));
}

/** Names of all links of this network namespace (proc(5), /proc/net/dev). */
function linkNames(): Set<string> {
  const lines = Deno.readTextFileSync("/proc/thread-self/net/dev").split("\n");
  return new Set(lines.flatMap((line) => /^\s*([^\s:]+):/.exec(line)?.[1] ?? []));
}

/** Names of a bridge's ports; none where there is no such bridge. */
export async function readBridgePorts(bridge: string): Promise<string[]> {
  const args = ["-json", "link", "show", "master", bridge];
  const { code, stdout } = await runCommand(requireProgram(PROGRAMS.ip), args);
  return code === 0 ? parseLinks(stdout).map(({ name }) => name) : [];
}

/**
 * Runs commands of ip(8) in one process; it stops at the first that fails.
 *
 * @param commands Such as "link set lo up".
 * @param namespace Name of the network namespace to run them in; undefined for the host's.
 * @throws {CommandError} When one fails.
 */
export async function ipBatch(commands: readonly string[], namespace?: string): Promise<void> {
  const inNamespace = namespace === undefined ? [] : ["-netns", namespace];
  await runOrThrow(requireProgram(PROGRAMS.ip), [...inNamespace, "-batch", "-"], {
    stdin: commands.join("\n") + "\n",
  });
}

/** What ip(8) says of a thing that is not there: nothing to be removed any more. */
const ABSENT =
  /Cannot find device|does not exist|No such file or directory|No such device|Cannot assign requested address|Address not found/;

/**
 * Runs commands that remove things, each whatever became of the others. What is not there any more is
 * not an error.
 *
 * @return What went wrong, one message each.
 */
export async function ipRemoveAll(commands: readonly string[]): Promise<string[]> {
  if (commands.length === 0) return [];
  const argv = [requireProgram(PROGRAMS.ip), "-force", "-batch", "-"] as const;
  const result = await runCommand(argv[0], argv.slice(1), { stdin: commands.join("\n") + "\n" });
  if (result.code === 0) return [];
  const errors = result.stderr.split("\n")
    .filter((line) => line !== "" && !line.startsWith("Command failed") && !ABSENT.test(line));
  return errors.map((line) => new CommandError(argv, { ...result, stderr: line }).message);
}
