/**
 * Checks the rules of layer_rules.ts on this project, using the module graph that Deno resolves.
 */
import { checkModules, type Module } from "./layer_rules.ts";

const ROOT = new URL("../", import.meta.url);

/** The output of `deno info --json` for a module, as far as it is used. */
interface InfoModule {
  readonly specifier: string;
  readonly error?: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier?: string; readonly error?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

/** Every TypeScript file below a directory, as paths from the project's root. */
async function* sourcesBelow(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(directory, ROOT))) {
    const path = `${directory}/${name}`;
    if (isDirectory) yield* sourcesBelow(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** Resolves files and all their imports. */
async function readGraph(paths: readonly string[]): Promise<Module[]> {
  const root = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const imports = paths.map((path) => `import "${new URL(path, ROOT)}";\n`);
    await Deno.writeTextFile(root, imports.join(""));
    const { success, stdout, stderr } = await new Deno.Command(
      new URL("scripts/deno", ROOT).pathname,
      { args: ["info", "--json", "--config", new URL("deno.json", ROOT).pathname, root] },
    ).output();
    if (!success) throw new Error(`deno info failed: ${new TextDecoder().decode(stderr)}`);
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: InfoModule[] };
    const inProject = modules.filter(({ specifier }) => pathOf(specifier) !== undefined);
    return await Promise.all(inProject.map(toModule));
  } finally {
    await Deno.remove(root);
  }
}

async function toModule({ specifier, error, dependencies = [] }: InfoModule): Promise<Module> {
  const path = pathOf(specifier)!;
  if (error !== undefined) throw new Error(`${path}: ${error}`);
  const imports = dependencies.map(({ specifier: written, code, type }) => {
    const resolved = code?.specifier ?? type?.specifier;
    if (resolved === undefined) throw new Error(`${path}: ${code?.error ?? written}`);
    return { specifier: written, target: pathOf(resolved) };
  });
  return { path, text: await Deno.readTextFile(new URL(specifier)), imports };
}

/** Path from the project's root of a file: URL; undefined for anything else. */
function pathOf(specifier: string): string | undefined {
  return specifier.startsWith(ROOT.href) ? specifier.slice(ROOT.href.length) : undefined;
}

/** The modules that programs start with, workers, and what packages export. */
async function readEntries(): Promise<string[]> {
  const entries: string[] = [];
  for await (const { name } of Deno.readDir(new URL("packages", ROOT))) {
    const directory = `packages/${name}`;
    const config = JSON.parse(await Deno.readTextFile(new URL(`${directory}/deno.json`, ROOT)));
    const { exports, compile } = config as {
      exports: string | Record<string, string>;
      compile?: { include?: string[] };
    };
    const own = typeof exports === "string" ? [exports] : Object.values(exports);
    entries.push(...[...own, ...compile?.include ?? []].map((path) => {
      return `${directory}/${path.replace(/^\.\//, "")}`;
    }));
    entries.push(`${directory}/main.ts`);
  }
  return entries;
}

if (import.meta.main) {
  const sources: string[] = [];
  for (const directory of ["packages", "scripts"]) {
    for await (const path of sourcesBelow(directory)) {
      // The stand-ins import npm packages that another import map does not have.
      if (!path.startsWith("scripts/offline/")) sources.push(path);
    }
  }
  const modules = await readGraph(sources);
  const problems = checkModules(modules, await readEntries()).sort();
  for (const problem of problems) console.error(problem);
  console.log(`layers: ${modules.length} files, ${problems.length} violations`);
  if (modules.length === 0 || problems.length > 0) Deno.exit(1);
}
