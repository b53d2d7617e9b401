import { parseLinks } from "../model/host_facts.ts";
import { parseRoutes6, type Route6 } from "../model/host_facts6.ts";
import { CommandError, runCommand, runOrThrow } from "./command.ts";
import { PROGRAMS, requireProgram } from "./programs.ts";
import { hasIpv6 } from "./sysctl.ts";

/** Directory of named network namespaces (ip-netns(8)). */
export const NAMESPACE_DIRECTORY = "/run/netns";

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

/** Names of a bridge's ports; none if there is no such bridge. */
export async function readBridgePorts(bridge: string): Promise<string[]> {
  const args = ["-json", "link", "show", "master", bridge];
  const { code, stdout } = await runCommand(requireProgram(PROGRAMS.ip), args);
  return code === 0 ? parseLinks(stdout).map(({ name }) => name) : [];
}

/**
 * Runs commands of ip(8) in one process, up to the first that fails.
 *
 * @param commands Such as "link set lo up".
 * @throws {CommandError} If one fails.
 */
export async function ipBatch(commands: readonly string[]): Promise<void> {
  await runOrThrow(requireProgram(PROGRAMS.ip), ["-batch", "-"], {
    stdin: commands.join("\n") + "\n",
  });
}

/** ip(8)'s messages for things that do not exist: there is nothing to remove. */
const ABSENT =
  /Cannot find device|does not exist|No such file or directory|No such device|Cannot assign requested address|Address not found/;

/**
 * Runs commands that remove things, each regardless of the others' results. It is not an error if a
 * thing is already gone.
 *
 * @return The errors, one message each.
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
