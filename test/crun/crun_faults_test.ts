/**
 * A kill at any step of a container's life leaves nothing that the next start or `gc` does not
 * clean up; and a container that is to be kept still exists, intact.
 *
 *   [ host ] hpktainer run | run -d | container start | stop | rm   (SIGKILL at a step)
 *                 └─ next start, ended │ gc ── container rm --force of all ── the host as before
 *
 * The steps are those that a run with HPK_FAULT_TRACE lists: the list is never written by hand.
 */
import { assert, assertEquals } from "@std/assert";
import {
  eventually,
  eventuallySame,
  ociImages,
  type PrivateHost,
  type RunResult,
  type Snapshot,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk } from "../harness/hpktainer.ts";
import { killMonitor } from "../harness/processes.ts";
import { BUSY, container, crunHost, crunNeeds, ok, run } from "../harness/crun.ts";

/** An act of the program that can die at any of its steps. */
interface Scenario {
  readonly name: string;
  /** Whether it is complete only once the monitor has taken everything down. */
  readonly untilClean?: true;
  /** Its own steps, if the others are also those of another act. */
  readonly own?: RegExp;
  /** Minimum number of steps, as a check of the traced list. */
  readonly least: number;
  /** Prepares a host for the act. */
  readonly begin: (stage: Stage) => Promise<unknown>;
  readonly act: (stage: Stage, env: Record<string, string>) => Promise<RunResult>;
}

interface Stage {
  readonly host: PrivateHost;
  readonly image: string;
}

const NAME = "subject";
const SLEEP = ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"];

/** A running container whose end nobody else sees: only the act takes it down. */
async function startUnwatched({ host, image }: Stage): Promise<void> {
  await ok(host, ["run", "--runtime", "crun", "-d", "--name", NAME, image, ...SLEEP]);
  await killMonitor(host);
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "run",
    least: 25,
    untilClean: true,
    begin: () => Promise.resolve(),
    act: ({ host, image }, env) => run(host, ["--name", NAME, image, "true"], { env }),
  },
  {
    name: "run --detach",
    least: 10,
    begin: () => Promise.resolve(),
    act: ({ host, image }, env) => run(host, ["-d", "--name", NAME, image, ...SLEEP], { env }),
  },
  {
    name: "container start",
    own: /^(container|crun)\./,
    least: 3,
    begin: ({ host, image }) => ok(host, ["container", "create", "--name", NAME, image, ...SLEEP]),
    act: ({ host }, env) => container(host, ["start", NAME], { env }),
  },
  {
    name: "container stop",
    least: 8,
    begin: startUnwatched,
    act: ({ host }, env) => container(host, ["stop", NAME], { env }),
  },
  {
    name: "container rm --force",
    least: 8,
    begin: startUnwatched,
    act: ({ host }, env) => container(host, ["rm", "--force", NAME], { env }),
  },
];

/** What is done after a kill. */
const RECOVERIES: Record<string, (stage: Stage) => Promise<void>> = {
  "the next start": async ({ host, image }) => {
    const { code, stderr } = await run(host, [image, "true"]);
    assertEquals(code, 0, stderr);
  },
  "gc": async ({ host }) => {
    const { code, stdout, stderr } = await hpk(host, ["gc"], BUSY);
    assertEquals(code, 0, stdout + stderr);
  },
};

/** Removes every container, running or not. */
async function removeAll(host: PrivateHost): Promise<void> {
  const ids = (await ok(host, ["container", "ls", "--all", "--quiet"])).split("\n").filter(Boolean);
  // A container may end and be removed at this moment: the rest is checked afterwards.
  for (const id of ids) await container(host, ["rm", "--force", id]);
}

/** The ids of the containers that have any record. */
async function idsOn(host: PrivateHost): Promise<string[]> {
  const { stdout } = await host.sh(
    "ls /run/hpktainer/containers /var/lib/hpktainer/containers 2>/dev/null || :",
  );
  return [...new Set(stdout.match(/^[0-9a-f]{12}/gm) ?? [])];
}

/**
 * Nothing of the containers is left; control groups are shared with the machine and may have
 * others'.
 */
async function assertGone(
  host: PrivateHost,
  before: Snapshot,
  ids: readonly string[],
): Promise<void> {
  await eventuallySame(host, before, BUSY);
  assertEquals(await idsOn(host), []);
  const groups = ids.map((id) => `/sys/fs/cgroup/*/hpktainer-${id} /sys/fs/cgroup/hpktainer-${id}`);
  const { stdout } = await host.sh(
    `ls -d ${groups.join(" ")} /var/lib/hpktainer/images/leases/* || :`,
  );
  assertEquals(stdout, "");
}

/** A kill, and what is done after it. */
interface Case {
  readonly point: string;
  readonly recovery: string;
}

const HOSTS = 2;

/** A host where an act can run, in the state between two acts. */
async function faultHost(image: string): Promise<{ host: PrivateHost; before: Snapshot }> {
  const host = await crunHost();
  // The first start creates directories that stay.
  await ok(host, ["run", "--runtime", "crun", image, "true"]);
  await ok(host, ["gc"]);
  const before = await eventually(async () => {
    const seen = await snapshot(host);
    return seen.processes.some((line) => line.includes("hpktainer")) ? undefined : seen;
  }, { what: "the monitor's end", ...BUSY });
  return { host, before };
}

/** Lists the steps of an act, those of the tear-down after it too. */
async function trace(scenario: Scenario, image: string): Promise<string[]> {
  const { host, before } = await faultHost(image);
  await using _host = host;
  // The machine's /tmp is the host's too, and in no snapshot.
  const file = await Deno.makeTempFile();
  await scenario.begin({ host, image });
  const { code, stdout, stderr } = await scenario.act({ host, image }, { HPK_FAULT_TRACE: file });
  assertEquals(code, 0, stderr);
  const ids = await idsOn(host);
  // The monitor continues after the act.
  if (scenario.untilClean) await eventuallySame(host, before, BUSY);
  const lines = Deno.readTextFileSync(file).trimEnd().split("\n");
  assert(lines.length >= scenario.least, `only ${lines.join()}: ${stdout} ${stderr}`);
  await removeAll(host);
  await ok(host, ["gc"]);
  await Deno.remove(file);
  await assertGone(host, before, ids);
  return [...new Set(lines)].filter((point) => scenario.own?.test(point) ?? true);
}

/** Runs cases on a new host, and on another after a failure; returns the failures. */
async function playAll(scenario: Scenario, image: string, todo: Case[]): Promise<string[]> {
  const failures: string[] = [];
  while (todo.length > 0) {
    const { host, before } = await faultHost(image);
    await using _host = host;
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      try {
        await scenario.begin({ host, image });
        await scenario.act({ host, image }, { HPK_FAULT_KILL: next.point });
        const ids = await idsOn(host);
        await RECOVERIES[next.recovery]!({ host, image });
        await removeAll(host);
        await ok(host, ["gc"]);
        await assertGone(host, before, ids);
      } catch (error) {
        failures.push(`kill at '${next.point}', then ${next.recovery}: ${error}`);
        break;
      }
    }
  }
  return failures;
}

for (const scenario of SCENARIOS) {
  testIf({
    name: `fault injection: ${scenario.name} by crun: a kill at any step is repaired`,
    needs: crunNeeds,
  }, async () => {
    const { busybox: image } = await ociImages();
    const points = await trace(scenario, image);
    assert(points.length >= scenario.least, points.join());
    // Each recovery at every second point.
    const recoveries = Object.keys(RECOVERIES);
    const todo = points.map((point, index) => ({
      point,
      recovery: recoveries[index % recoveries.length]!,
    }));
    const count = todo.length;
    const hosts = Array.from({ length: HOSTS }, () => playAll(scenario, image, todo));
    const failures = (await Promise.all(hosts)).flat();
    console.log(`${scenario.name}: ${count} kills`);
    assertEquals(failures.length, 0, `${failures.length} of ${count}:\n${failures.join("\n")}`);
  });
}
