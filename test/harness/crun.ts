/** Shared by the tests of containers: a host that can run them, and calls of the program there. */
import { assertEquals } from "@std/assert";
import {
  crun,
  hostLocal,
  iptables,
  type Need,
  ociImages,
  ociTools,
  PrivateHost,
  privateHosts,
  program,
  type RunOptions,
  type RunResult,
} from "./mod.ts";
import { hpk, SUBNET } from "./hpktainer.ts";

/** The needs of every test of a container of ours. */
export const crunNeeds: readonly Need[] = [
  ...privateHosts,
  ...ociTools,
  crun,
  program("conmon"),
  iptables,
  hostLocal,
];

/** Timeout on a busy machine. */
export const BUSY = { timeoutMs: 60_000 } as const;

/**
 * A host with the pod network configured, and a disk that supports overlays on it: that of private
 * hosts is itself an overlay. The busybox image is in its store.
 */
export async function crunHost(): Promise<PrivateHost> {
  const host = await PrivateHost.create();
  const { busybox } = await ociImages();
  await host.sh(`
mkdir -p /var/lib/hpktainer /etc/hpktainer
mount -n -t tmpfs -o mode=755 disk /var/lib/hpktainer
printf '[network]\\nsubnet = ${SUBNET}\\n' > /etc/hpktainer/config.ini
`);
  await ok(host, ["image", "pull", "--quiet", busybox]);
  return host;
}

/** Runs `hpktainer run --runtime crun …` to its end. */
export function run(
  host: PrivateHost,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return hpk(host, ["run", "--runtime", "crun", ...args], { ...BUSY, ...options });
}

/** Runs `hpktainer container …` to its end. */
export function container(
  host: PrivateHost,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return hpk(host, ["container", ...args], { ...BUSY, ...options });
}

/** Runs a command of the program that must succeed; returns its standard output. */
export async function ok(host: PrivateHost, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await hpk(host, args, BUSY);
  assertEquals(code, 0, `${args.join(" ")}: ${stderr}`);
  return stdout;
}
