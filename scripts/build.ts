/**
 * Compiles the product's programs. Each is bundled first, with its dynamic imports as modules of
 * their own: of a start of some 25 ms, that saves about 5 ms for the module graph and 20 ms for the
 * command-line library. The quality gate checks types, not the build.
 *
 * A program's worker modules and files are listed in `compile.include` of its package's deno.json.
 * They are put next to the bundle under their own names, so a module refers to one in its own
 * directory: `new URL("./relay_worker.ts", import.meta.url)`.
 */
import { parseArgs } from "@std/cli/parse-args";

const ROOT = new URL("../", import.meta.url).pathname;

/** The binaries by name, with the directories of their packages under packages/. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  "hpktainer": "hpktainer",
  "hpk-net-daemon": "net-daemon",
  "host-setup": "host-setup",
};

/** What to build, and the output directory. */
export interface BuildOptions {
  /** Names of PROGRAMS. */
  names: string[];
  /** Directory of the binaries. */
  outDir: string;
  /** Triple of `deno compile --target`; this machine's by default. */
  target?: string;
}

/**
 * Reads the command line.
 * @throws {Error} naming the word that is not known
 */
export function readOptions(argv: string[]): BuildOptions {
  const args = parseArgs(argv, {
    string: ["target", "out-dir"],
    unknown: (word, key) => {
      if (key !== undefined) {
        throw new Error(`unknown option ${word}: the options are --target and --out-dir`);
      }
      return true;
    },
  });
  const names = args._.map(String);
  for (const name of names) {
    if (!Object.hasOwn(PROGRAMS, name)) {
      throw new Error(`unknown program ${name}: name one of ${Object.keys(PROGRAMS).join(", ")}`);
    }
  }
  return {
    names: names.length > 0 ? names : Object.keys(PROGRAMS),
    outDir: args["out-dir"] ?? `${ROOT}dist`,
    ...(args.target === undefined ? {} : { target: args.target }),
  };
}

/**
 * A text that changes with every source of the binaries: it covers every file's path, size and
 * time, the toolchain's versions and the target.
 */
export async function fingerprint(root: string, target: string): Promise<string> {
  const lines = [`deno ${Deno.version.deno}`, `deps ${Deno.env.get("HPK_DEPS")}`, target];
  lines.push(`denort ${Deno.env.get("DENORT_BIN") ?? "own"}`);
  const files = [`${root}deno.json`, `${root}scripts/build.ts`];
  for (const directory of ["packages", "scripts/offline"]) {
    for await (const path of filesUnder(`${root}${directory}`)) {
      if (!path.endsWith("_test.ts")) files.push(path);
    }
  }
  for (const path of files.sort()) {
    const { size, mtime } = await Deno.stat(path);
    lines.push(`${path} ${size} ${mtime?.getTime()}`);
  }
  return lines.join("\n");
}

async function* filesUnder(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    if (isDirectory) yield* filesUnder(`${directory}/${name}`);
    else if (isFile) yield `${directory}/${name}`;
  }
}

/** The bundler unpacks itself at its first use; two at once would interfere with each other. */
let bundled: Promise<void> = Promise.resolve();

function bundle(...args: string[]): Promise<void> {
  return bundled = bundled.then(() => deno("bundle", "-q", ...args));
}

/** Builds one program unless its stamp matches the fingerprint; returns whether it was built. */
async function build(name: string, options: BuildOptions, sources: string): Promise<boolean> {
  const packageDir = `${ROOT}packages/${PROGRAMS[name]}`;
  const stage = `${options.outDir}/.build/${name}`;
  const stamp = `${stage}/stamp`;
  const binary = `${options.outDir}/${name}`;
  if (await readIfThere(stamp) === sources && await readIfThere(binary, 0) !== undefined) {
    return false;
  }
  await Deno.remove(stage, { recursive: true }).catch(ignoreNotFound);
  await Deno.mkdir(stage, { recursive: true });
  await bundle("--code-splitting", "--outdir", stage, `${packageDir}/main.ts`);
  const includes = [];
  for (const path of await includesOf(packageDir)) {
    const copy = `${stage}/${path.slice(path.lastIndexOf("/") + 1)}`;
    if (/\.[jt]s$/.test(path)) await bundle("-o", copy, `${packageDir}/${path}`);
    else await Deno.copyFile(`${packageDir}/${path}`, copy);
    includes.push("--include", copy);
  }
  // --no-code-cache: the cache is a file under /tmp with a well-known name, which anyone could put
  // there for root to load.
  // -A: the programs call libc through FFI and run other programs, so a list of permissions would
  // promise a sandbox that does not exist.
  await deno(
    ...[
      "compile",
      "-q",
      "-A",
      "--no-check",
      "--no-config",
      "--no-code-cache",
      "-o",
      binary,
      ...includes,
    ],
    ...(options.target === undefined ? [] : ["--target", options.target]),
    `${stage}/main.js`,
  );
  await Deno.writeTextFile(stamp, sources);
  return true;
}

/** The paths of `compile.include` in a package's deno.json, relative to the package. */
async function includesOf(packageDir: string): Promise<string[]> {
  const config: { compile?: { include?: string[] } } = JSON.parse(
    await Deno.readTextFile(`${packageDir}/deno.json`),
  );
  return config.compile?.include ?? [];
}

/** The file's text, or undefined if it does not exist; with 0, only whether it exists. */
async function readIfThere(path: string, limit?: 0): Promise<string | undefined> {
  try {
    if (limit === undefined) return await Deno.readTextFile(path);
    await Deno.stat(path);
    return "";
  } catch (error) {
    ignoreNotFound(error);
    return undefined;
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function deno(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(`${ROOT}scripts/deno`, { args }).output();
  if (!success) {
    throw new Error(`deno ${args[0]} failed:\n${new TextDecoder().decode(stderr).trimEnd()}`);
  }
}

if (import.meta.main) {
  try {
    const options = readOptions(Deno.args);
    const sources = await fingerprint(ROOT, options.target ?? Deno.build.target);
    await Promise.all(options.names.map(async (name) => {
      const start = performance.now();
      if (!await build(name, options, sources)) return;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`build: ${options.outDir}/${name} (${seconds} s)`);
    }));
  } catch (error) {
    console.error(`scripts/build: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
