/** Shared by the end-to-end tests: the compiled program, and its calls on a host. */
import {
  apptainer,
  busybox,
  hostLocal,
  iptables,
  type Need,
  type Place,
  privateHosts,
  program,
  type RunOptions,
  type RunResult,
} from "./mod.ts";

/** The binary under test: `$HPKTAINER`, or the output of `scripts/build`. An absolute path. */
export const HPKTAINER: string = Deno.env.get("HPKTAINER") ??
  new URL("../../dist/hpktainer", import.meta.url).pathname;

// Tests compare the host after the last container with the host before the first. Those that are about
// what stays in between set it for themselves.
Deno.env.set("HPK_LINGER", "0");

/** The static subnet that tests use: its gateway is 10.96.0.1, its first container 10.96.0.2. */
export const SUBNET = "10.96.0.0/24";

/** The IPv6 subnet for it: its gateway is fd00:96::1, its first container fd00:96::2. */
export const SUBNET6 = "fd00:96::/64";

/** Timeout for what takes milliseconds, but seconds on a busy machine. */
export const PATIENT = { timeoutMs: 20_000 } as const;

/** The needs of every test of a container on a network. */
export const needs: readonly Need[] = [
  ...privateHosts,
  apptainer,
  busybox,
  iptables,
  hostLocal,
  program("setsid"),
];

/** Runs the program on `host` to its end, regardless of its exit status. */
export function hpk(
  host: Place,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return host.run(HPKTAINER, args, { check: false, ...options });
}

/**
 * Copies the program to where everybody may read it, for calls as an ordinary user; returns the path. The
 * tests' own directory may be closed to others, as one below /root is.
 */
export async function programForUsers(host: Place): Promise<string> {
  const path = "/run/program-for-users";
  await host.run("cp", [HPKTAINER, path]);
  return path;
}
