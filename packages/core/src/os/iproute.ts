import { type HostFacts, type Link, parseLinks, parseRoutes } from "../model/host_facts.ts";
import { parseRoutes6, type Route6 } from "../model/host_facts6.ts";
import { isHostLinkName } from "../model/names.ts";
import { CommandError, runCommand, runOrThrow } from "./command.ts";
import { PROGRAMS, requireProgram } from "./programs.ts";
import { hasIpv6 } from "./sysctl.ts";

/** Directory of named network namespaces (ip-netns(8)). */
export const NAMESPACE_DIRECTORY = "/run/netns";

/**
 * Reads the host's IPv4 routes and its links, but for those of containers: of a thousand of them none
 * need be read, which would take longer than all else.
 *
 * @param names Links that are read in any case, if they exist.
 */
export async function readHostFacts(names: readonly string[]): Promise<HostFacts> {
  const ip = requireProgram(PROGRAMS.ip);
  const existing = linkNames();
  const others = [...existing].filter((name) => !isHostLinkName(name) || names.includes(name));
  const [links, routed] = await Promise.all([
    others.length <= MOST_ASKED_FOR ? readLinks(ip, others) : readAllLinks(ip),
    runOrThrow(ip, ["-json", "-4", "route", "show"]),
  ]);
  const routes = parseRoutes(routed);
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

/** From how many links on all are read at once. */
const MOST_ASKED_FOR = 64;

/** Reads links by their names; one that goes in this moment is one that is not there. */
async function readLinks(ip: string, names: readonly string[]): Promise<Link[]> {
  const stdin = names.map((name) => `address show dev ${name}\n`).join("");
  const args = ["-force", "-json", "-details", "-batch", "-"];
  const result = await runCommand(ip, args, { stdin });
  // A list for each.
  const links = result.stdout.split("\n").flatMap(parseLinks);
  if (links.length === 0 && names.length > 0) throw new CommandError([ip, ...args], result);
  return links;
}

/** Reads all links at once. */
async function readAllLinks(ip: string): Promise<Link[]> {
  return parseLinks(await runOrThrow(ip, ["-json", "-details", "address", "show"]));
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
