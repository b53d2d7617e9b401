import type { HostFacts } from "../model/host_facts.ts";
import { parseLinks, parseRoutes } from "../model/host_facts.ts";
import { CommandError, runCommand, runOrThrow } from "./command.ts";
import { PROGRAMS, requireProgram } from "./programs.ts";

/** Directory of named network namespaces (ip-netns(8)). */
export const NAMESPACE_DIRECTORY = "/run/netns";

/** Reads the host's links and routes. */
export async function readHostFacts(): Promise<HostFacts> {
  const ip = requireProgram(PROGRAMS.ip);
  const [links, routes] = await Promise.all([
    runOrThrow(ip, ["-json", "-details", "address", "show"]),
    runOrThrow(ip, ["-json", "-4", "route", "show"]),
  ]);
  const facts = { links: parseLinks(links), routes: parseRoutes(routes) };
  // Between the two looks a link may go, such as our bridge with its last container: its routes, by
  // "if10" to ip(8), go with it.
  const exists = (name: string) => facts.links.some((link) => link.name === name);
  return {
    links: facts.links,
    routes: facts.routes.filter(({ device }) =>
      device === undefined || exists(device) || !/^if[0-9]+$/.test(device)
    ),
  };
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
  /Cannot find device|does not exist|No such file or directory|No such device|Cannot assign requested address/;

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
