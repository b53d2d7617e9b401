/**
 * Checks that the dependency arrows point one way, and the rules that go with them:
 * `main → cli → use case → pure`, `use case → os → ffi`. See ARCHITECTURE.md.
 */

/** A source file: its path from the project's root, and its text. */
export interface Source {
  path: string;
  text: string;
}

const MAX_LINES = 400;
const MAX_MAIN_LINES = 30;

/** The parts of packages/core/src, and what each may import. */
const CORE_LAYERS: Readonly<Record<string, readonly string[]>> = {
  model: ["model"],
  ffi: ["ffi", "model"],
  os: ["os", "ffi", "model"],
};

/** The one file of the model that ffi may import. */
const ERRORS = "packages/core/src/model/errors.ts";
const PURE_EXPORTS = ["@hpk/core", "@hpk/core/errors", "@hpk/core/names"];
/** Single modules are for what every command loads: the others bring all their modules along. */
const CORE_EXPORTS = [
  ...[...PURE_EXPORTS, "@hpk/core/os", "@hpk/core/ffi"],
  ...["@hpk/core/capabilities", "@hpk/core/exec", "@hpk/core/programs"],
];
const TEST_FILE = /(_test\.ts|\/testing\/[^/]+\.ts)$/;

/** Violations, one line each: where, what, and what to do; none when all is well. */
export function checkLayers(sources: Source[]): string[] {
  return sources.flatMap((source) => [
    ...checkSize(source),
    ...checkNames(source),
    ...importsOf(source.text).flatMap((specifier) => {
      const problem = checkImport(source.path, specifier);
      return problem ? [`${source.path}: imports ${specifier}: ${problem}`] : [];
    }),
  ]);
}

/** The specifiers of static imports, re-exports and dynamic imports with a literal. */
export function importsOf(text: string): string[] {
  const code = withoutComments(text);
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*(["'])([^"'\n]+)\1/g;
  return [...code.matchAll(pattern)].map((match) => match[2] ?? "");
}

/** The text without comments, and with its strings as they are. */
export function withoutComments(text: string): string {
  const tokens =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replace(tokens, (token) => token.startsWith("/") ? " " : token);
}

function checkSize({ path, text }: Source): string[] {
  const lines = text.replace(/\n$/, "").split("\n").length;
  const limit = path.endsWith("/main.ts") ? MAX_MAIN_LINES : MAX_LINES;
  return lines > limit ? [`${path}: ${lines} lines, at most ${limit}: split it`] : [];
}

function checkNames({ path, text }: Source): string[] {
  if (!path.startsWith("packages/") || TEST_FILE.test(path)) return [];
  const code = withoutComments(text);
  const found: string[] = [];
  if (code.includes("Deno.dlopen") && !path.startsWith("packages/core/src/ffi/")) {
    found.push(`${path}: calls Deno.dlopen: only packages/core/src/ffi does`);
  }
  if (isPure(path) && /\bDeno\./.test(code)) {
    found.push(`${path}: mentions Deno: pure code gets what it needs as arguments`);
  }
  const name = /\bDeno\.(exit|args)\b/.exec(code)?.[0];
  if (name && !path.includes("/cli/") && !path.endsWith("/main.ts")) {
    found.push(`${path}: uses ${name}: only cli/ and main.ts do`);
  }
  return found;
}

function isPure(path: string): boolean {
  return path.startsWith("packages/core/src/model/") || path.includes("/pure/") ||
    path.endsWith("_model.ts");
}

/** What is wrong with one import, if anything. */
function checkImport(path: string, specifier: string): string | undefined {
  if (!path.startsWith("packages/")) return undefined;
  const from = place(path);
  if (specifier.startsWith("@hpk/")) return checkPackageImport(path, from, specifier);
  if (!specifier.startsWith(".")) {
    const isAllowed = !isPure(path) || TEST_FILE.test(path) || specifier.startsWith("@std/");
    return isAllowed ? undefined : "pure code imports pure code and @std only";
  }
  const target = resolve(path, specifier);
  const to = place(target);
  const directory = (file: string): string => file.slice(0, file.lastIndexOf("/"));
  if (/\/_[^/]+$/.test(target) && directory(target) !== directory(path)) {
    return "it is private to its directory: import that directory's public modules";
  }
  if (to.package !== from.package) return "it is in another package: import by the package's name";
  if (TEST_FILE.test(path)) return undefined;
  if (TEST_FILE.test(target)) return "it is for tests only";
  return from.package === "core"
    ? checkCoreImport(from.layer, to.layer, target)
    : checkToolImport(from.layer, to.layer);
}

function checkPackageImport(path: string, from: Place, specifier: string): string | undefined {
  if (specifier === `@hpk/${from.package}` || specifier.startsWith(`@hpk/${from.package}/`)) {
    return "a package imports itself by relative paths";
  }
  if (!CORE_EXPORTS.includes(specifier)) {
    return `packages import only core, and it by ${CORE_EXPORTS.join(", ")}`;
  }
  return isPure(path) && !PURE_EXPORTS.includes(specifier) && !TEST_FILE.test(path)
    ? `of core, pure code imports ${PURE_EXPORTS.join(", ")} only`
    : undefined;
}

function checkCoreImport(from: string, to: string, target: string): string | undefined {
  const allowed = CORE_LAYERS[from];
  if (!allowed) return undefined;
  if (!allowed.includes(to)) return `${from} imports ${allowed.join(", ")} only`;
  return from === "ffi" && to === "model" && target !== ERRORS
    ? `of the model, ffi imports ${ERRORS} only`
    : undefined;
}

/** In the tools: pure → pure; use cases (files of src/) → all but cli; cli → all. */
function checkToolImport(from: string, to: string): string | undefined {
  if (to === "main") return "nothing imports main.ts";
  if (from === "pure" && to !== "pure") return "pure code imports pure code only";
  if (from !== "cli" && from !== "main" && from !== "mod" && to === "cli") {
    return "cli/ calls use cases, not the other way";
  }
  return undefined;
}

interface Place {
  /** Directory under packages/. */
  package: string;
  /** Directory under src/, `use case` for its own files, `main` and `mod` for the entry points. */
  layer: string;
}

function place(path: string): Place {
  const [, name = "", ...rest] = path.split("/");
  if (rest[0] !== "src") return { package: name, layer: rest[0]?.replace(/\.ts$/, "") ?? "" };
  return { package: name, layer: rest.length > 2 ? rest[1] ?? "" : "use case" };
}

function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

async function readSources(root: string, directory: string): Promise<Source[]> {
  const found: Source[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${root}${directory}`)) {
    const path = `${directory}/${name}`;
    if (isDirectory) found.push(...await readSources(root, path));
    else if (name.endsWith(".ts")) {
      found.push({ path, text: await Deno.readTextFile(`${root}${path}`) });
    }
  }
  return found;
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url).pathname;
  const sources = [...await readSources(root, "packages"), ...await readSources(root, "scripts")];
  const problems = checkLayers(sources).sort();
  for (const problem of problems) console.error(problem);
  console.log(`layers: ${sources.length} files, ${problems.length} violations`);
  if (sources.length === 0 || problems.length > 0) Deno.exit(1);
}
