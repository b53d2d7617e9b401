/**
 * A start while containers run is attached by the monitor, whose code is warm:
 *
 *     hpktainer exec ── attach.sock ──► monitor: caller, arguments ──► record, namespace, link, address
 *                    ◄── become this ──
 *
 * Whatever happens to the monitor or the caller, the container starts, or nothing is left behind.
 */
import { assert, assertEquals } from "@std/assert";
import {
  eventually,
  eventuallySame,
  images,
  PrivateHost,
  type Snapshot,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { endContainer, holdContainer } from "../harness/containers.ts";
import { hpk, HPKTAINER, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";
import { awaitService, monitorPids } from "../harness/processes.ts";

const EXEC = ["exec", "--subnet", SUBNET] as const;

interface Stage extends AsyncDisposable {
  readonly host: PrivateHost;
  readonly image: string;
  /** Names the file to which the monitor traces its steps. */
  readonly traced: Record<string, string>;
  /** What has been written there since this was last called. */
  trace(): string[];
}

/** A host with a container, whose monitor serves. At the end the host is as before. */
async function stageWithContainer(): Promise<Stage> {
  const host = await PrivateHost.create();
  const image = (await images()).base;
  const before: Snapshot = await snapshot(host);
  const file = await Deno.makeTempFile();
  const traced = { HPK_FAULT_TRACE: file };
  const held = await holdContainer(host, image, ["--subnet", SUBNET], traced);
  await awaitService(host);
  const trace = () => {
    const points = Deno.readTextFileSync(file).split("\n").slice(0, -1);
    Deno.writeTextFileSync(file, "");
    return points;
  };
  trace();
  return {
    ...{ host, image, traced, trace },
    async [Symbol.asyncDispose]() {
      try {
        await endContainer(held);
        await eventuallySame(host, before, PATIENT);
      } finally {
        await host[Symbol.asyncDispose]();
        await Deno.remove(file);
      }
    },
  };
}

testIf({ name: "a start while a container runs is attached by the monitor", needs }, async () => {
  await using stage = await stageWithContainer();
  const { host, image, traced, trace } = stage;
  const show = "cat /sys/class/net/eth0/mtu; hostname; echo $HPK_IP; exit 7";
  const options = ["--name", "web", "--ip", "10.96.0.77"];
  const args = [...EXEC, ...options, image, "sh", "-c", show];
  const served = await hpk(host, args, { env: { ...traced, HPK_MTU: "1400" } });
  assertEquals([served.code, served.stdout, served.stderr], [
    ...[7, "1400\nweb\n10.96.0.77/24\n", ""],
  ]);
  const points = trace();
  assert(points.includes("attach.done"), points.join(" "));
  assert(!points.includes("start.running"), "the start has attached itself");
  // With an environment other than the monitor's it attaches itself.
  const alone = await hpk(host, [...EXEC, image, "true"], {
    env: { ...traced, CNI_PATH: "/none" },
  });
  assertEquals(alone.code, 0, alone.stderr);
  assert(trace().includes("start.running"));
});

testIf(
  { name: "an image path is relative to the start's directory, whoever attaches", needs },
  async () => {
    await using stage = await stageWithContainer();
    const { host, image, traced, trace } = stage;
    const [, directory, name] = /^(.*)\/([^/]*)$/.exec(image)!;
    const script = `cd '${directory}' && exec '${HPKTAINER}' ${EXEC.join(" ")} ${name} true`;
    assertEquals((await host.sh(script, { env: traced })).code, 0);
    assert(!trace().includes("start.running"));
    const missing = await host.sh(script.replace(directory!, "/"), { env: traced, check: false });
    assertEquals([missing.code, missing.stderr], [
      125,
      `hpktainer: cannot start ${name}: there is no such image; give the path of an image, or a source such as docker://IMAGE\n`,
    ]);
  },
);

testIf({ name: "the start reports what the monitor cannot attach", needs }, async () => {
  await using stage = await stageWithContainer();
  const { host, image, traced } = stage;
  const cases: [string[], RegExp][] = [
    [
      ["--ip", "10.96.0.2"],
      /^hpktainer: cannot give .* 10\.96\.0\.2: container '.*' has it; .*\n$/,
    ],
    [["--ip", "10.97.0.2"], /^hpktainer: [^\n]*10\.97\.0\.2[^\n]*\n$/],
    [["--mtu", "many"], /^hpktainer: [^\n]*many[^\n]*\n$/],
  ];
  for (const [options, line] of cases) {
    const { code, stdout, stderr } = await hpk(host, [...EXEC, ...options, image, "true"], {
      env: traced,
    });
    assertEquals([code, stdout, line.test(stderr)], [125, "", true], stderr);
  }
});

testIf(
  { name: "a start whose monitor is killed while it waits attaches itself", needs },
  async () => {
    await using stage = await stageWithContainer();
    const { host, image, traced } = stage;
    const monitors = monitorPids(host).map(String);
    await host.run("kill", ["-STOP", ...monitors]);
    const start = hpk(host, [...EXEC, image, "echo", "started"], { env: traced });
    await eventually(async () => (await waiting(host)) === 1, { what: "a start that waits" });
    // Only the monitor: the start continues at once, and starts another one.
    await host.run("kill", ["-KILL", ...monitors]);
    const { code, stdout, stderr } = await start;
    assertEquals([code, stdout], [0, "started\n"], stderr);
  },
);

testIf({ name: "a start whose monitor is stopped continues without it", needs }, async () => {
  await using stage = await stageWithContainer();
  const { host, image, traced, trace } = stage;
  const monitors = monitorPids(host).map(String);
  await host.run("kill", ["-STOP", ...monitors]);
  const { code, stderr } = await hpk(host, [...EXEC, image, "true"], { env: traced });
  assertEquals(code, 0, stderr);
  assert(trace().includes("start.running"));
  await host.run("kill", ["-CONT", ...monitors]);
});

testIf({ name: "a start that is killed while it waits is not attached", needs }, async () => {
  await using stage = await stageWithContainer();
  const { host, image, traced, trace } = stage;
  const monitors = monitorPids(host).map(String);
  await host.run("kill", ["-STOP", ...monitors]);
  const script = `'${HPKTAINER}' ${EXEC.join(" ")} '${image}' true & echo $!; wait $!`;
  const start = host.sh(script, { env: traced, check: false });
  await eventually(async () => (await waiting(host)) === 1, { what: "a start that waits" });
  const { stdout: pids } = await host.sh(
    `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline | grep -q '^${HPKTAINER} exec' && echo \${p#/proc/}; done; true`,
  );
  await host.run("kill", ["-KILL", ...pids.trim().split("\n")]);
  await start;
  await host.run("kill", ["-CONT", ...monitors]);
  // The next one is served after it.
  assertEquals((await hpk(host, [...EXEC, image, "true"], { env: traced })).code, 0);
  const attached = trace().filter((point) => point === "attach.done");
  assertEquals(attached.length, 1);
});

/**
 * How many connections wait at the monitor's socket (ss(8); they have no process at its end yet).
 */
async function waiting(host: PrivateHost): Promise<number> {
  const { stdout } = await host.sh("ss -xlH src /run/hpktainer/attach.sock");
  return Number(stdout.trim().split(/\s+/)[2]);
}
