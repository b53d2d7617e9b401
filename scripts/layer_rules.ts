/**
 * The rules of this project: which module may import which, and what it may contain. See
 * ARCHITECTURE.md, "Where is what". They are checked on the module graph that Deno resolves.
 */

/** A source file and its imports, as Deno resolves them. */
export interface Module {
  /** Path from the project's root. */
  readonly path: string;
  readonly text: string;
  /** Imports of every kind: static, of types, dynamic. */
  readonly imports: readonly Import[];
}

/** One import. */
export interface Import {
  /** As written in the source. */
  readonly specifier: string;
  /** Path from the project's root of the file that it names; undefined for one outside of it. */
  readonly target: string | undefined;
}

/**
 * The rooms of packages/hpktainer/src, lowest level first: a room imports rooms of lower levels only.
 * A room is a directory; `runtimes` as a room are the files that stand directly in it, and `runtimes/*`
 * is any directory in it that is not named.
 */
export const ROOMS: readonly (readonly string[])[] = [
  ["shared"],
  ["settings", "names", "arguments"],
  ["images", "network"],
  ["datapath", "ports", "containers"],
  ["attach"],
  ["runtimes/*"],
  ["runtimes/boot", "runtimes", "monitor"],
  ["admin"],
  ["cli"],
];

/** Rooms in which every file is pure, without a directory `pure`. */
const PURE_ROOMS = ["arguments"];

const ROOMS_ROOT = "packages/hpktainer/src/";
const MAX_LINES = 400;
const MAX_MAIN_LINES = 30;

/**
 * What belongs to the running process: use cases do what a Caller asks for, which may be another
 * process, so they take it from there.
 */
const OWN_PROCESS = /\bDeno\.(?:env|cwd|uid|gid|stdin|stdout|stderr|consoleSize)\b|\bthisProcess\b/;

/** Rooms that make the Caller, and that run as a process of our own. */
const OWN_PROCESS_ROOMS = ["cli", "monitor"];

/** The only other files that may use it. */
const OWN_PROCESS_FILES: Readonly<Record<string, string>> = {
  "attach/teardown.ts": "who takes a container down owns it meanwhile, whoever asked for that",
};

/** The parts of packages/core/src, and what each may import. */
const CORE_LAYERS: Readonly<Record<string, readonly string[]>> = {
  model: ["model"],
  ffi: ["ffi", "model"],
  os: ["os", "ffi", "model"],
  cli: ["cli", "model"],
};

/** The one file of the model that ffi may import. */
const ERRORS = "packages/core/src/model/errors.ts";
const PURE_EXPORTS = [
  ...["@hpk/core", "@hpk/core/errors", "@hpk/core/names", "@hpk/core/options"],
  ...["@hpk/core/commands", "@hpk/core/command-help", "@hpk/core/settings-table"],
];
/** Single modules, for code that every command loads: the others load all their modules. */
const CORE_EXPORTS = [
  ...[...PURE_EXPORTS, "@hpk/core/os", "@hpk/core/ffi"],
  ...["@hpk/core/capabilities", "@hpk/core/exec", "@hpk/core/process", "@hpk/core/programs"],
  ...["@hpk/core/command-line", "@hpk/core/ledger", "@hpk/core/log"],
];
const TEST_EXPORT = "@hpk/core/testing";
const TEST_FILE = /(_test\.ts|\/testing\/[^/]+\.ts)$/;

/**
 * Checks a graph of modules.
 *
 * @param entries Paths of the modules that programs start with and of those that packages export;
 * every other module must be reached from one of them.
 * @return Violations, one line each: where, what, and what to do.
 */
export function checkModules(modules: readonly Module[], entries: readonly string[]): string[] {
  return [
    ...modules.flatMap((module) => [
      ...checkSize(module),
      ...checkNames(module),
      ...module.imports.flatMap((one) => {
        const problem = checkImport(module.path, one);
        return problem ? [`${module.path}: imports ${one.specifier}: ${problem}`] : [];
      }),
    ]),
    ...checkCircles(modules),
    ...checkReach(modules, entries),
  ];
}

/** The text without comments, and with its strings as they are. */
export function withoutComments(text: string): string {
  const tokens =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replace(tokens, (token) => token.startsWith("/") ? " " : token);
}

function checkSize({ path, text }: Module): string[] {
  const lines = text.replace(/\n$/, "").split("\n").length;
  const limit = path.endsWith("/main.ts") ? MAX_MAIN_LINES : MAX_LINES;
  return lines > limit ? [`${path}: ${lines} lines, at most ${limit}: split it`] : [];
}

function checkNames({ path, text }: Module): string[] {
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
  const own = OWN_PROCESS.exec(code)?.[0];
  if (own && path.startsWith(ROOMS_ROOT) && !isPure(path) && !mayUseOwnProcess(path)) {
    found.push(`${path}: uses ${own}: take it from the Caller (shared/pure/caller.ts)`);
  }
  return found;
}

function mayUseOwnProcess(path: string): boolean {
  return OWN_PROCESS_ROOMS.includes(roomOf(path)) ||
    Object.hasOwn(OWN_PROCESS_FILES, path.slice(ROOMS_ROOT.length));
}

function isPure(path: string): boolean {
  return path.startsWith("packages/core/src/model/") || path.includes("/pure/") ||
    PURE_ROOMS.some((room) => path.startsWith(`${ROOMS_ROOT}${room}/`));
}

/** What is wrong with one import, if anything. */
function checkImport(path: string, { specifier, target }: Import): string | undefined {
  if (!path.startsWith("packages/")) return undefined;
  const from = place(path);
  if (specifier.startsWith("@hpk/")) return checkPackageImport(path, from, specifier);
  if (!specifier.startsWith(".") || target === undefined) {
    const isAllowed = !isPure(path) || TEST_FILE.test(path) || specifier.startsWith("@std/");
    return isAllowed ? undefined : "pure code imports pure code and @std only";
  }
  const to = place(target);
  const directory = (file: string): string => file.slice(0, file.lastIndexOf("/"));
  if (/\/_[^/]+$/.test(target) && directory(target) !== directory(path)) {
    return "it is private to its directory: import that directory's public modules";
  }
  if (to.package !== from.package) return "it is in another package: import by the package's name";
  if (TEST_FILE.test(path) || target.endsWith(".json")) return undefined;
  if (TEST_FILE.test(target)) return "it is for tests only";
  if (to.layer === "main") return "nothing imports main.ts";
  if (isPure(path) && from.package !== "core" && !isPure(target)) {
    return "pure code imports pure code only";
  }
  if (from.package === "core") return checkCoreImport(from.layer, to.layer, target);
  return path.startsWith(ROOMS_ROOT)
    ? checkRooms(path, target)
    : checkToolImport(from.layer, to.layer);
}

function checkPackageImport(path: string, from: Place, specifier: string): string | undefined {
  if (specifier === `@hpk/${from.package}` || specifier.startsWith(`@hpk/${from.package}/`)) {
    return "a package imports itself by relative paths";
  }
  if (specifier === TEST_EXPORT && TEST_FILE.test(path)) return undefined;
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

/**
 * The room that a file of packages/hpktainer/src is in. A runtime's engine, runtimes/NAME/engine.ts,
 * belongs to `containers`: containers are cleaned up with it, below the level of those that start them.
 */
export function roomOf(path: string): string {
  const [first = "", second = "", third] = path.slice(ROOMS_ROOT.length).split("/");
  if (first === "runtimes" && third === "engine.ts") return "containers";
  return first === "runtimes" && third !== undefined ? `${first}/${second}` : first;
}

function checkRooms(path: string, target: string): string | undefined {
  const [from, to] = [roomOf(path), roomOf(target)];
  if (from === to) return undefined;
  const [fromLevel, toLevel] = [levelOf(from), levelOf(to)];
  if (fromLevel === -1) return `the room ${from} has no level: give it one in ROOMS`;
  if (toLevel === -1) return `the room ${to} has no level: give it one in ROOMS`;
  return toLevel < fromLevel ? undefined : `the room ${to} is not on a lower level than ${from}`;
}

/** Position of a room's level in ROOMS; -1 where it has none. */
function levelOf(room: string): number {
  const level = ROOMS.findIndex((rooms) => rooms.includes(room));
  return level === -1 && room.startsWith("runtimes/")
    ? ROOMS.findIndex((rooms) => rooms.includes("runtimes/*"))
    : level;
}

/** In the other tools: use cases (files of src/) → all but cli; cli → all. */
function checkToolImport(from: string, to: string): string | undefined {
  if (from !== "cli" && from !== "main" && from !== "mod" && to === "cli") {
    return "cli/ calls use cases, not the other way";
  }
  return undefined;
}

interface Place {
  /** Directory under packages/. */
  readonly package: string;
  /** Directory under src/, `use case` for its own files, `main` and `mod` for the entry points. */
  readonly layer: string;
}

function place(path: string): Place {
  const [, name = "", ...rest] = path.split("/");
  if (rest[0] !== "src") return { package: name, layer: rest[0]?.replace(/\.ts$/, "") ?? "" };
  return { package: name, layer: rest.length > 2 ? rest[1] ?? "" : "use case" };
}

/** Files that import each other, in circles of any length. */
function checkCircles(modules: readonly Module[]): string[] {
  const graph = new Map(modules.map(({ path, imports }) => [
    path,
    imports.flatMap(({ target }) => target ?? []),
  ]));
  return circlesOf(graph).map((circle) =>
    `${circle[0]}: is in a circle of ${circle.length} files: ${circle.join(", ")}: cut one import`
  );
}

/**
 * Groups of nodes that reach each other, each sorted (Tarjan's strongly connected components of more
 * than one node).
 */
export function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): number => {
    let low = order.size;
    order.set(node, low);
    open.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, order.get(next)!);
    }
    lowest.set(node, low);
    if (low === order.get(node)) {
      const group = open.splice(open.indexOf(node));
      if (group.length > 1) found.push(group.sort());
    }
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

/** Files of the packages that no program and no export reaches. */
function checkReach(modules: readonly Module[], entries: readonly string[]): string[] {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const reached = new Set<string>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    queue.push(...byPath.get(path)?.imports.flatMap(({ target }) => target ?? []) ?? []);
  }
  return modules.map(({ path }) => path)
    .filter((path) => path.startsWith("packages/") && !TEST_FILE.test(path) && !reached.has(path))
    .map((path) => `${path}: no program reaches it: use it or remove it`);
}
