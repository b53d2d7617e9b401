/**
 * Checks the documentation: that its links, the source files that it names and the messages that it
 * quotes exist.
 *
 *   scripts/deno run --no-check --allow-read scripts/check_docs.ts
 */
import { checkPages, unknownMessages } from "./doc_rules.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** What is not the project's: made by builds and by Git. */
const FOREIGN = ["dist", "node_modules", "coverage", ".git"];

/** The page whose code blocks quote messages. */
const TROUBLESHOOTING = "docs/troubleshooting.md";

/** Paths of all files and directories, from the root. */
function* walk(directory = ""): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(ROOT + directory)) {
    if (FOREIGN.includes(name)) continue;
    yield directory + name;
    if (isDirectory) yield* walk(`${directory}${name}/`);
  }
}

const files = [...walk()].sort();
const read = (path: string): string => Deno.readTextFileSync(ROOT + path);
const pages = files.filter((path) => path.endsWith(".md"))
  .map((path) => ({ path, text: read(path) }));
const sources = files.filter((path) =>
  /^packages\/.*\.ts$/.test(path) && !path.endsWith("_test.ts")
).map(read);
const problems = [
  ...checkPages(pages, files),
  ...unknownMessages(read(TROUBLESHOOTING), sources).map((piece) =>
    `${TROUBLESHOOTING}: "${piece}": no source has that message: quote the present one`
  ),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) Deno.exit(1);
