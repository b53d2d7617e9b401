/**
 * The scenarios of the fault-injection test: each is an act of the program that can die at any of
 * its steps.
 */
import { assertEquals } from "@std/assert";
import { eventually, PrivateHost, type RunResult } from "./mod.ts";
import { endContainer, holdContainer } from "./containers.ts";
import { hpk, HPKTAINER, SUBNET, SUBNET6 } from "./hpktainer.ts";
import { awaitService, killMonitor, monitorPids } from "./processes.ts";

/** An act of the program, and its starting point. */
export interface Scenario {
  readonly name: string;
  /** The least number of fault points, as a check of the traced list. */
  readonly least: number;
  /** Exit status without a kill. */
  readonly code: number;
  /**
   * Brings a clean host to the starting point; returns a function that ends the containers that may
   * be left.
   */
  readonly begin: (stage: Stage) => Promise<() => Promise<void>>;
  readonly act: (stage: Stage, environment: Record<string, string>) => Promise<RunResult>;
  /** Whether the trace is complete only after the monitor has torn everything down. */
  readonly untilClean?: boolean;
}

/** The stage on which an act is run. */
export interface Stage {
  readonly host: PrivateHost;
  /** A real image. */
  readonly image: string;
  /** A name that no other case uses. */
  readonly name: string;
}

/** The directory of a `host-local` that allocates no address. */
const BROKEN_PLUGINS = "/etc/broken-plugins";

/** Runs the monitor as a start does: it inherits the locked descriptor. */
const RUN_MONITOR =
  `exec 9<> /run/hpktainer/monitor.lock; flock 9; exec '${HPKTAINER}' monitor 9 < /dev/null`;

/** A first process for a container that is booted. */
const INIT = "/etc/boot-init";

/** A host on which every scenario can be run. */
export async function faultHost(): Promise<PrivateHost> {
  const host = await PrivateHost.create();
  await host.sh(
    `mkdir ${BROKEN_PLUGINS} && cat > ${BROKEN_PLUGINS}/host-local && chmod 755 ${BROKEN_PLUGINS}/host-local`,
    {
      stdin: `#!/bin/sh
if [ "$CNI_COMMAND" = ADD ]; then echo '{"code":999,"msg":"out of order"}'; exit 1; fi
`,
    },
  );
  await host.sh(`cat > ${INIT} && chmod 755 ${INIT}`, {
    stdin: "#!/bin/sh\ntrap 'exit 0' INT\nwhile :; do sleep 600 & wait $!; done\n",
  });
  return host;
}

/** A container whose owner and monitor were killed: nothing has been torn down. */
async function abandonContainer({ host, image }: Stage): Promise<() => Promise<void>> {
  const held = await holdContainer(host, image);
  await killMonitor(host);
  held.signal("SIGKILL");
  await held.wait();
  return () => Promise.resolve();
}

function startInstance(
  { host, image, name }: Stage,
  env: Record<string, string> = {},
): Promise<RunResult> {
  return hpk(host, ["instance", "start", "--subnet", SUBNET, image, name], { env });
}

/** Stops the instance if it is running. */
async function stopIfRunning({ host, name }: Stage): Promise<void> {
  const { stdout } = await hpk(host, ["ps", "--json"]);
  const { containers } = JSON.parse(stdout) as { containers: { name: string; state: string }[] };
  if (!containers.some((one) => one.name === name && one.state === "running")) return;
  assertEquals((await hpk(host, ["instance", "stop", name])).code, 0);
}

/** A container with the stage's name. */
async function holdNamed(
  { host, image, name }: Stage,
  ...options: string[]
): Promise<() => Promise<void>> {
  const held = await holdContainer(host, image, ["--subnet", SUBNET, "--name", name, ...options]);
  return () => endContainer(held);
}

/** Options that require every kind of rule for a container. */
const OWN_RULES = ["--publish", "8080:80/udp", "--isolated", "--no-masquerade", "--allow-imds"];

const nothing = () => Promise.resolve(() => Promise.resolve());

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "exec with both families",
    least: 23,
    code: 0,
    untilClean: true,
    begin: nothing,
    act: ({ host, image }, env) =>
      hpk(host, ["exec", "--subnet", SUBNET, "--subnet6", SUBNET6, image, "true"], { env }),
  },
  {
    name: "exec with rules of its own in the packet filter",
    least: 23,
    code: 0,
    untilClean: true,
    begin: nothing,
    act: ({ host, image }, env) =>
      hpk(host, ["exec", "--subnet", SUBNET, ...OWN_RULES, image, "true"], { env }),
  },
  {
    name: "port add",
    least: 5,
    code: 0,
    begin: (stage) => holdNamed(stage),
    act: ({ host, name }, env) => hpk(host, ["port", "add", name, "8080:80/udp"], { env }),
  },
  {
    name: "port rm",
    least: 4,
    code: 0,
    begin: (stage) => holdNamed(stage, "--publish", "8080:80/udp"),
    act: ({ host, name }, env) => hpk(host, ["port", "rm", name, "8080/udp"], { env }),
  },
  {
    name: "a start that fails",
    least: 13,
    code: 125,
    begin: nothing,
    act: ({ host, image }, env) =>
      hpk(host, ["exec", "--subnet", SUBNET, image, "true"], {
        env: { ...env, CNI_PATH: BROKEN_PLUGINS },
      }),
  },
  {
    name: "a start that fails next to a container",
    least: 6,
    code: 125,
    begin: async (stage) => {
      const options = ["--subnet", SUBNET, "--ip", "10.96.0.9"];
      const held = await holdContainer(stage.host, stage.image, options);
      return () => endContainer(held);
    },
    act: ({ host, image }, env) =>
      hpk(host, ["exec", "--subnet", SUBNET, "--ip", "10.96.0.9", image, "true"], { env }),
  },
  {
    name: "a start that the monitor attaches",
    least: 8,
    code: 0,
    begin: async ({ host, image }) => {
      const held = await holdContainer(host, image);
      await killMonitor(host);
      return () => endContainer(held);
    },
    // The client goes on without the killed monitor, and dies at the same point.
    act: async ({ host, image }, env) => {
      await host.sh(`(${RUN_MONITOR}) > /dev/null 2>&1 &`, { env });
      await awaitService(host);
      return await hpk(host, ["exec", "--subnet", SUBNET, image, "true"], { env });
    },
  },
  {
    name: "instance start",
    least: 12,
    code: 0,
    begin: (stage) => Promise.resolve(() => stopIfRunning(stage)),
    act: startInstance,
  },
  {
    name: "instance start --boot in the host's network",
    least: 6,
    code: 0,
    begin: (stage) => Promise.resolve(() => stopIfRunning(stage)),
    act: ({ host, image, name }, env) => {
      const options = ["--boot", "--host-network", "--boot-timeout", "1"];
      const bind = ["--bind", `${INIT}:/sbin/init`];
      return hpk(host, ["instance", "start", ...options, ...bind, image, name], { env });
    },
  },
  {
    name: "instance stop without a monitor",
    least: 8,
    code: 0,
    begin: async (stage) => {
      assertEquals((await startInstance(stage)).code, 0);
      await killMonitor(stage.host);
      return () => Promise.resolve();
    },
    act: ({ host, name }, env) => hpk(host, ["instance", "stop", name], { env }),
  },
  {
    name: "gc",
    least: 8,
    code: 0,
    begin: abandonContainer,
    act: ({ host }, env) => hpk(host, ["gc"], { env }),
  },
  {
    name: "gc on a bridge that was there before",
    least: 8,
    code: 0,
    begin: async (stage) => {
      const { host } = stage;
      await host.sh("ip link add hpk-bridge type bridge");
      await abandonContainer(stage);
      return async () => {
        await eventually(() => monitorPids(host).length === 0, { what: "the monitor's end" });
        const { stdout } = await host.sh("ip -4 -o address show dev hpk-bridge");
        assertEquals(stdout, "");
        await host.sh("ip link delete hpk-bridge");
      };
    },
    act: ({ host }, env) => hpk(host, ["gc"], { env }),
  },
  {
    name: "exec, after which the shared part stays for a while",
    least: 23,
    code: 0,
    untilClean: true,
    begin: nothing,
    act: ({ host, image }, env) =>
      hpk(host, ["exec", "--subnet", SUBNET, image, "true"], { env: { ...env, HPK_LINGER: "1" } }),
  },
  {
    name: "exec on another subnet than what stays",
    least: 25,
    code: 0,
    untilClean: true,
    begin: letLinger,
    act: ({ host, image }, env) =>
      hpk(host, ["exec", "--subnet", "10.97.0.0/24", image, "true"], { env }),
  },
  {
    name: "gc of what stays",
    least: 6,
    code: 0,
    begin: letLinger,
    act: ({ host }, env) => hpk(host, ["gc"], { env }),
  },
  {
    name: "the monitor's tear-down",
    least: 8,
    code: 0,
    begin: abandonContainer,
    act: ({ host }, env) => host.sh(RUN_MONITOR, { env, check: false }),
  },
];

/** A host on which a container has ended, and the shared part stays. */
async function letLinger({ host, image }: Stage): Promise<() => Promise<void>> {
  const env = { HPK_LINGER: "600" };
  assertEquals((await hpk(host, ["exec", "--subnet", SUBNET, image, "true"], { env })).code, 0);
  await eventually(async () => {
    const { code } = await host.sh("ls /run/hpktainer/containers | grep .", { check: false });
    return code !== 0;
  }, { what: "the container's release" });
  return () => Promise.resolve();
}

/** Points that a monitor reaches as well, and dies at after the first process did. */
const MONITORS_POINT = /^teardown\.|(removed|restored)$/;

/**
 * Throws unless a process was killed: the foreground one, or the monitor before its work was done.
 */
export async function assertKilled(
  host: PrivateHost,
  point: string,
  act: RunResult,
): Promise<void> {
  if (act.code !== 137 || MONITORS_POINT.test(point)) {
    await eventually(() => monitorPids(host, "HPK_FAULT_KILL").length === 0, {
      what: `the monitor's end (exit status ${act.code} ${act.stderr})`,
      timeoutMs: 15_000,
    });
  }
  if (act.code === 137) return;
  const ledgers = ["/run/hpktainer", "/run/hpktainer.removed"];
  const { code } = await host.sh(`[ -d ${ledgers[0]} ] || [ -d ${ledgers[1]} ]`, { check: false });
  assertEquals(code, 0, `nothing was killed at ${point}: ${act.code} ${act.stderr}`);
}
