/** Containers that live as long as a test needs them, and the program's list of containers. */
import { assertEquals } from "@std/assert";
import type { Background, Place, PrivateHost } from "./mod.ts";
import { hpk, HPKTAINER, SUBNET } from "./hpktainer.ts";

/** A container as `ps --json` lists it: the fields that tests use. */
export interface Listed {
  readonly name: string;
  readonly state: string;
  readonly address: string;
  readonly namespace: string;
}

/** How long a start may take on a busy machine, in ms. */
export const START_TIMEOUT_MS = 60_000;

/** Starts a shell in a container; it reads commands from its input and ends with it. */
export async function holdContainer(
  host: PrivateHost,
  image: string,
  options: readonly string[] = ["--subnet", SUBNET],
  env: Record<string, string> = {},
): Promise<Background> {
  const held = await host.spawn(HPKTAINER, shellCommand(image, options), { env });
  await held.waitFor(/^up$/m, { stream: "stdout", timeoutMs: START_TIMEOUT_MS });
  return held;
}

/** The command line of {@linkcode holdContainer}. */
export function shellCommand(image: string, options: readonly string[]): string[] {
  return ["exec", ...options, image, "sh", "-c", "echo up; exec sh"];
}

/** Ends a container of {@linkcode holdContainer}. */
export async function endContainer(held: Background): Promise<void> {
  await held.closeStdin();
  const { code, stderr } = await held.wait({ timeoutMs: START_TIMEOUT_MS });
  assertEquals(code, 0, stderr);
}

/** The output of `ps --json`. */
export async function listed(host: Place): Promise<Listed[]> {
  const { code, stdout, stderr } = await hpk(host, ["ps", "--json"]);
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout).containers;
}

/** Runs a command of the program that must succeed; returns its standard output. */
export async function ok(
  host: Place,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { code, stdout, stderr } = await hpk(host, args, { env, timeoutMs: START_TIMEOUT_MS });
  assertEquals(code, 0, stdout + stderr);
  return stdout;
}
