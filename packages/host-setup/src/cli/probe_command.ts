import { runTasks, serveProbe } from "../probe.ts";

/**
 * What --verify runs in its namespaces; not for people.
 *
 * @param args "serve PORT [LINK]", or tasks as JSON; the results are printed as JSON.
 * @return The exit status.
 */
export async function runProbe(
  _context: undefined,
  args: readonly string[],
): Promise<number> {
  const [word = "[]", port, link] = args;
  if (word === "serve") await serveProbe(Number(port), link);
  else console.log(JSON.stringify(await runTasks(JSON.parse(word))));
  return 0;
}
