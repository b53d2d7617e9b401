import { TempDirectory } from "./temp_directory.ts";

/** Result of a script. */
export interface ScriptResult {
  readonly code: number;
  /** The signal that ended it, if one did. */
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options for running a script. */
export interface ScriptOptions {
  /** Variables added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text for standard input; by default it is empty. */
  readonly stdin?: string;
}

/**
 * Runs TypeScript in a process of its own, for what a test cannot do in its own process.
 *
 * @param code The script; it imports by absolute URLs, as `import.meta.resolve` gives them.
 */
export async function runScript(code: string, options: ScriptOptions = {}): Promise<ScriptResult> {
  using directory = new TempDirectory();
  const child = spawnScript(directory.write("script.ts", code), options);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(options.stdin ?? ""));
  await writer.close();
  const { code: status, signal, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code: status, signal, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

const ROOT = new URL("../../../../", import.meta.url).pathname;

/**
 * Starts a script from a file, with pipes for all three standard streams. It resolves the
 * workspace's packages as the test does, but without scripts/deno: a test may empty PATH.
 */
export function spawnScript(path: string, options: ScriptOptions = {}): Deno.ChildProcess {
  const config = ["--config", `${ROOT}deno.json`, ...importMap(Deno.env.get("HPK_DEPS"))];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", ...config, path],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...options.env },
  }).spawn();
}

/** The option for the import map that scripts/deno has chosen and written to HPK_DEPS. */
function importMap(deps: string | undefined): string[] {
  if (deps === undefined || deps === "jsr") return [];
  return ["--import-map", deps === "offline" ? `${ROOT}scripts/offline/import_map.json` : deps];
}
