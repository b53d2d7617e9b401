/**
 * A kill at any step leaves nothing that the next start or `gc` does not clean up.
 *
 *   [ host ] hpk-bridge 10.96.0.1      act (SIGKILL at a step) ── next start, ended ── the host as before
 *               |                                           └─ gc ── the host as before
 *           container                  three such hosts side by side, without an uplink
 *
 * The steps are those that a run with HPK_FAULT_TRACE lists: the list is never written by hand.
 */
import { assert, assertEquals } from "@std/assert";
import {
  eventuallySame,
  images,
  type PrivateHost,
  type Snapshot,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { assertKilled, faultHost, type Scenario, SCENARIOS } from "../harness/faults.ts";
import { hpk, needs, SUBNET } from "../harness/hpktainer.ts";

const HOSTS = 3;

/** How long the last tear-down may take where the machine is busy. */
const CALM = { timeoutMs: 20_000 };

/** What is done after a kill. */
const RECOVERIES: Record<string, (host: PrivateHost, image: string) => Promise<void>> = {
  "next start": async (host, image) => {
    const { code, stderr } = await hpk(host, ["exec", "--subnet", SUBNET, image, "true"]);
    assertEquals(code, 0, stderr);
  },
  "gc": async (host) => {
    const { code, stdout, stderr } = await hpk(host, ["gc"]);
    assertEquals(code, 0, stdout + stderr);
  },
};

interface Case {
  readonly point: string;
  readonly recovery: string;
}

let cases = 0;

/** Lists the fault points of an act. */
async function trace(scenario: Scenario, image: string, file: string): Promise<string[]> {
  await using host = await faultHost();
  const before = await snapshot(host);
  const stage = { host, image, name: `traced${++cases}` };
  const end = await scenario.begin(stage);
  const { code, stderr } = await scenario.act(stage, { HPK_FAULT_TRACE: file });
  assertEquals(code, scenario.code, stderr);
  if (scenario.untilClean) await eventuallySame(host, before, CALM);
  const points = [...new Set(Deno.readTextFileSync(file).trimEnd().split("\n"))];
  await end();
  await eventuallySame(host, before, CALM);
  return points;
}

async function play(
  scenario: Scenario,
  { point, recovery }: Case,
  host: PrivateHost,
  before: Snapshot,
): Promise<void> {
  const image = (await images()).base;
  const stage = { host, image, name: `case${++cases}` };
  const end = await scenario.begin(stage);
  await assertKilled(host, point, await scenario.act(stage, { HPK_FAULT_KILL: point }));
  await RECOVERIES[recovery]!(host, image);
  await end();
  await eventuallySame(host, before, CALM);
}

/** Runs cases on a new host, and on another after a failure; returns the failures. */
async function playAll(scenario: Scenario, todo: Case[]): Promise<string[]> {
  const failures: string[] = [];
  while (todo.length > 0) {
    await using host = await faultHost();
    const before = await snapshot(host);
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      try {
        await play(scenario, next, host, before);
      } catch (error) {
        failures.push(`kill at '${next.point}', then ${next.recovery}: ${error}`);
        break;
      }
    }
  }
  return failures;
}

for (const scenario of SCENARIOS) {
  testIf(
    { name: `fault injection: ${scenario.name}: a kill at any step leaves nothing behind`, needs },
    async () => {
      const file = await Deno.makeTempFile();
      const points = await trace(scenario, (await images()).base, file);
      await Deno.remove(file);
      assert(
        points.length >= scenario.least,
        `only ${points.length} points were traced: ${points.join(", ")}`,
      );
      const todo = points.flatMap((point) =>
        Object.keys(RECOVERIES).map((recovery) => ({ point, recovery }))
      );
      const count = todo.length;
      const hosts = Array.from({ length: HOSTS }, () => playAll(scenario, todo));
      const failures = (await Promise.all(hosts)).flat();
      console.log(`${scenario.name}: ${points.length} points, ${count} kills`);
      assertEquals(failures.length, 0, `${failures.length} of ${count}:\n${failures.join("\n")}`);
    },
  );
}
