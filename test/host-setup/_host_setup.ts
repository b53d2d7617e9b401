/**
 * Shared by the tests of host-setup: the compiled program, a host like a fresh EC2 instance, and
 * rules of other programs.
 */
import {
  apptainer,
  hostLocal,
  Internet,
  iptables,
  type Need,
  type Place,
  PrivateHost,
  privateHosts,
  type RunOptions,
  type RunResult,
  type Snapshot,
  snapshot,
} from "../harness/mod.ts";

/** The binary under test: `$HOST_SETUP`, or the output of `scripts/build`. An absolute path. */
export const HOST_SETUP: string = Deno.env.get("HOST_SETUP") ??
  new URL("../../dist/host-setup", import.meta.url).pathname;

/** The needs of every test here. */
export const needs: readonly Need[] = [...privateHosts, iptables, apptainer, hostLocal];

/** The journal's path, as in the program's README. */
export const JOURNAL = "/var/lib/hpktainer/host-setup.json";

/** Runs the program on `host` to its end, regardless of its exit status, with --no-packages. */
export function setup(
  host: Place,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return host.run(HOST_SETUP, [...args, "--no-packages"], { check: false, ...options });
}

/** A report of `--json`. */
export interface Report {
  changes: { kind: string; id: string; old: string | null; new: string | null; reason: string }[];
  restored: { kind: string; id: string }[];
  left: { kind: string; id: string; why: string; later: boolean }[];
  notes: string[];
  problems: string[];
}

/** Runs the program with `--json`; throws unless it ends with `code`. */
export async function setupJson(
  host: Place,
  args: readonly string[],
  code = 0,
): Promise<Report> {
  const result = await setup(host, [...args, "--json"]);
  if (result.code !== code) {
    throw new Error(
      `host-setup ${args.join(" ")}: ${result.code}: ${result.stderr || result.stdout}`,
    );
  }
  return JSON.parse(result.stdout);
}

/** A fresh host whose uplink has the same name as on EC2, and the outside network. */
export async function freshHost(
  privateDirs: readonly string[] = [],
): Promise<{ host: PrivateHost; internet: Internet } & AsyncDisposable> {
  const internet = await Internet.create();
  try {
    const host = await PrivateHost.create({ name: "ec2", privateDirs });
    await internet.attach(host, { ifName: "enX0", address: "198.51.100.11/24" });
    return {
      host,
      internet,
      [Symbol.asyncDispose]: async () => {
        await host[Symbol.asyncDispose]();
        await internet[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await internet[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * A snapshot without directories that the machine has as well: an overlay shows one as changed when a
 * file in it was created and removed again.
 */
export async function stateOf(host: PrivateHost): Promise<Snapshot> {
  const taken = await snapshot(host);
  const files = taken.files.filter((line) => {
    const directory = /^(\/\S+) directory 0755 0:0$/.exec(line)?.[1];
    return directory === undefined || directory.startsWith("/run") || !isDirectory(directory);
  });
  return { ...taken, files };
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** The whole packet filter as iptables-save prints it, without comments and counters. */
export async function savedRules(host: Place, program = "iptables-save"): Promise<string> {
  const { stdout } = await host.run(program);
  return stdout.replaceAll(/^#.*\n/gm, "").replaceAll(/ \[\d+:\d+\]$/gm, "");
}

/** Loads a golden set of rules of other programs: Docker's, and one written by hand. */
export async function addForeignRules(host: Place): Promise<void> {
  await host.run("iptables-restore", [], { stdin: readGolden("foreign.rules") });
}

/** A file of test/host-setup/golden. */
export function readGolden(name: string): string {
  return Deno.readTextFileSync(new URL(`./golden/${name}`, import.meta.url));
}
