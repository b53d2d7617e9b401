/**
 * A kill at any step of host-setup is repaired by the next run.
 *
 *   [ host ]  act (SIGKILL at a step) ──┬── apply: set up ── undo: the host as before
 *                                       └── undo: the host as before
 *
 * The steps come from a run with HPK_FAULT_TRACE: the list is never written by hand.
 */
import { assert, assertEquals } from "@std/assert";
import { assertSame, type PrivateHost, type RunResult, testIf } from "../harness/mod.ts";
import { addForeignRules, freshHost, needs, setup, setupJson, stateOf } from "./_host_setup.ts";

/** An act that can die at any of its steps. */
interface Scenario {
  readonly name: string;
  /** The least number of steps, as a check of the traced list. */
  readonly least: number;
  /** Brings a clean host to the starting point of the act. */
  readonly begin: (host: PrivateHost) => Promise<unknown>;
  readonly act: (host: PrivateHost, env: Record<string, string>) => Promise<RunResult>;
}

const apply = (host: PrivateHost, env: Record<string, string> = {}, args: string[] = []) =>
  setup(host, ["--apply", ...args], { env });

const SCENARIOS: readonly Scenario[] = [
  { name: "the first apply", least: 30, begin: () => Promise.resolve(), act: apply },
  {
    name: "an apply with other settings",
    least: 15,
    begin: apply,
    act: (host, env) =>
      apply(host, env, ["--uplink", "lo", "--mtu", "1400", "--offload", "all", "--imds", "open"]),
  },
  {
    name: "undo",
    least: 10,
    begin: apply,
    act: (host, env) => setup(host, ["--undo"], { env }),
  },
];

/** What is run after a kill. */
const REPAIRS: Record<string, (host: PrivateHost) => Promise<void>> = {
  "apply, then undo": async (host) => {
    const { code, stderr } = await apply(host);
    assertEquals(code, 0, stderr);
    assertEquals((await setup(host, ["--check"])).code, 0, "the host is set up after apply");
    assertEquals((await setupJson(host, ["--undo"])).left, []);
  },
  "undo": async (host) => {
    assertEquals((await setupJson(host, ["--undo"])).left, []);
  },
};

async function playAll(
  scenario: Scenario,
  todo: { point: string; repair: string }[],
): Promise<string[]> {
  const failures: string[] = [];
  while (todo.length > 0) {
    await using fresh = await freshHost();
    const { host } = fresh;
    await addForeignRules(host);
    const before = await stateOf(host);
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      try {
        await scenario.begin(host);
        const { code } = await scenario.act(host, { HPK_FAULT_KILL: next.point });
        assertEquals(code, 137, "the act was killed");
        await REPAIRS[next.repair]!(host);
        assertSame(before, await stateOf(host));
      } catch (error) {
        failures.push(`kill at '${next.point}', then ${next.repair}: ${error}`);
        break;
      }
    }
  }
  return failures;
}

for (const scenario of SCENARIOS) {
  testIf({
    name: `host-setup: a kill at any step of ${scenario.name} is repaired by the next run`,
    needs,
  }, async () => {
    const file = await Deno.makeTempFile();
    await using fresh = await freshHost();
    await scenario.begin(fresh.host);
    const { code, stderr } = await scenario.act(fresh.host, { HPK_FAULT_TRACE: file });
    assertEquals(code, 0, stderr);
    const points = [...new Set(Deno.readTextFileSync(file).trimEnd().split("\n"))];
    await Deno.remove(file);
    assert(points.length >= scenario.least, `${points.length} points: ${points.join("; ")}`);
    const todo = points.flatMap((point) =>
      Object.keys(REPAIRS).map((repair) => ({ point, repair }))
    );
    const count = todo.length;
    const hosts = [playAll(scenario, todo), playAll(scenario, todo)];
    const failures = (await Promise.all(hosts)).flat();
    console.log(`${scenario.name}: ${points.length} points, ${count} kills`);
    assertEquals(failures.length, 0, `${failures.length} of ${count}:\n${failures.join("\n")}`);
  });
}
