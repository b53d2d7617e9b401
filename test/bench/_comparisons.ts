/** What `deno task bench` compares, on private hosts. */
import { images, Internet, ociImages, PrivateHost } from "../harness/mod.ts";
import { crunHost } from "../harness/crun.ts";
import { HPKTAINER } from "../harness/hpktainer.ts";
import { attachMany, endAll, prepare } from "./_many_containers.ts";
import { preparePodman } from "./_podman.ts";
import type { Comparison, Omission } from "./_ratio_table.ts";
import { median } from "./_statistics.ts";
import { timeInTurn } from "./_timing.ts";

const STATIC = ["--subnet", "10.96.0.0/24"];
/** How many containers start one after the other, and at once. */
const SERIES = 30;
const CROWD = 50;
/** Containers on one host, where many are measured. */
const MANY = 1000;
const GC = [HPKTAINER, "gc"];

/** How often is measured. */
export interface Effort {
  /** Rounds of each comparison. */
  readonly rounds: number;
  /** How often a thousand containers are made and end. */
  readonly manyRounds: number;
  /** Path of a program that does nothing. */
  readonly empty: string;
}

type Results = Promise<(Comparison | Omission)[]>;

/** The parts by name; each makes a host of its own. */
export const PARTS: Readonly<Record<string, (effort: Effort) => Results>> = {
  single,
  series,
  instances,
  crowd,
  crun,
  many,
};

/** A host with an uplink, on which Apptainer runs. */
async function withHost<T>(measure: (host: PrivateHost, image: string) => Promise<T>): Promise<T> {
  const { base } = await images();
  await using internet = await Internet.create();
  await using host = await PrivateHost.create();
  await internet.attach(host, { address: "198.51.100.11/24" });
  return await measure(host, base);
}

const ours = (image: string) => [HPKTAINER, "exec", ...STATIC, image, "true"];
const bare = (network: string, image: string) => [
  ...["apptainer", "exec", "--net", "--network", network, image, "true"],
];
const ratio = (
  what: string,
  against: string,
  goal: number,
  ours: readonly number[],
  theirs: readonly number[],
): Comparison => ({ what, against, goal, kind: "ratio", ours, theirs });

function single({ rounds }: Effort): Results {
  return withHost(async (host, image) => {
    const commands = [{ words: ours(image) }, { words: bare("bridge", image) }];
    const [own, bridge] = await timeInTurn(host, { rounds, between: GC, commands });
    return [
      ratio("`exec IMAGE true`, a single start", "`apptainer`, bridge", 0.75, own!, bridge!),
    ];
  });
}

function series({ rounds }: Effort): Results {
  return withHost(async (host, image) => {
    const commands = [ours(image), bare("bridge", image), bare("none", image)]
      .map((words) => ({ words, times: SERIES }));
    const [own, bridge, none] = await timeInTurn(host, { rounds, between: GC, commands });
    const what = `\`exec IMAGE true\`, ${SERIES} in a row`;
    return [
      ratio(what, "`apptainer`, bridge", 0.70, own!, bridge!),
      ratio(what, "`apptainer`, none", 1.6, own!, none!),
    ];
  });
}

function instances({ rounds }: Effort): Results {
  return withHost(async (host, image) => {
    const start = (name: string) => [HPKTAINER, "instance", "start", ...STATIC, image, name];
    const bareStart = ["apptainer", "instance", "start", "--net", "--network", "none", image, "b"];
    const stops = [
      { words: [HPKTAINER, "instance", "stop", "a"], before: start("a") },
      { words: ["apptainer", "instance", "stop", "b"], before: bareStart },
    ];
    const [alone, bareAlone] = await timeInTurn(host, { rounds, between: GC, commands: stops });
    await host.run(HPKTAINER, start("web").slice(1));
    const commands = [
      { words: [HPKTAINER, "exec", "instance://web", "true"] },
      { words: ["apptainer", "exec", "instance://web", "true"] },
      ...stops,
    ];
    const [join, bareJoin, stop, bareStop] = await timeInTurn(host, {
      ...{ rounds, between: GC, commands },
    });
    const stopping = "`instance stop`";
    return [
      ratio("`exec instance://`", "`apptainer`", 1.7, join!, bareJoin!),
      ratio(`${stopping}, the only container`, "`apptainer`", 2.5, alone!, bareAlone!),
      ratio(`${stopping}, among others`, "`apptainer`", 2.5, stop!, bareStop!),
    ];
  });
}

function crowd({ rounds }: Effort): Results {
  return withHost(async (host, image) => {
    await host.run(HPKTAINER, ["instance", "start", ...STATIC, image, "other"]);
    const commands = [
      { words: ours(image), copies: CROWD },
      { words: bare("none", image), copies: CROWD },
      { words: bare("bridge", image), copies: CROWD, mayFail: true },
    ];
    const [own, none, bridge] = await timeInTurn(host, { rounds, between: GC, commands });
    const what = `\`exec IMAGE true\`, ${CROWD} at once`;
    return [
      ratio(what, "`apptainer`, none", 1.45, own!, none!),
      ratio(what, "`apptainer`, bridge", 0.72, own!, bridge!),
    ];
  });
}

async function crun({ rounds }: Effort): Results {
  const { busybox } = await ociImages();
  await using host = await crunHost();
  const what = "`run --runtime crun IMAGE true`";
  const against = "`podman run --rm`, bridge";
  const goal = 0.60;
  const podman = await preparePodman(host, busybox);
  if ("reason" in podman) return [{ what, against, goal, kind: "ratio", reason: podman.reason }];
  const commands = [
    { words: [HPKTAINER, "run", "--rm", "--runtime", "crun", busybox, "true"] },
    { words: ["podman", "run", "--rm", podman.id, "true"] },
  ];
  const [own, other] = await timeInTurn(host, { rounds, between: GC, commands });
  return [ratio(what, against, goal, own!, other!)];
}

async function many({ rounds, manyRounds, empty }: Effort): Results {
  await using host = await PrivateHost.create();
  await prepare(host);
  const making: number[] = [];
  const cleaning: number[] = [];
  let listed: number[][] = [];
  for (let round = 0; round < manyRounds; round++) {
    making.push(median(await attachMany(host, HPKTAINER, MANY)));
    if (round === 0) {
      const words = [[HPKTAINER, "ps", "--json"], GC, [empty]];
      const commands = words.map((words) => ({ words }));
      listed = await timeInTurn(host, { rounds, between: ["true"], commands });
    }
    const begin = performance.now();
    await endAll(host);
    // It waits for a bounded time for what the monitor is taking down.
    do await host.run(HPKTAINER, ["gc"]); while (await isAnythingLeft(host));
    cleaning.push((performance.now() - begin) / MANY);
  }
  const [ps, gc, nothing] = listed;
  const kind = "difference";
  const theirs = nothing!;
  const against = "an empty compiled program";
  const among = `with ${MANY.toLocaleString("en")} containers`;
  return [
    ratio(
      `cleaning up ${MANY.toLocaleString("en")} that end at once, for each`,
      "making one",
      0.05,
      cleaning,
      making,
    ),
    { what: `\`ps --json\` ${among}`, against, goal: 60, kind, ours: ps!, theirs },
    { what: `\`gc\` ${among}`, against, goal: 60, kind, ours: gc!, theirs },
  ];
}

async function isAnythingLeft(host: PrivateHost): Promise<boolean> {
  return (await host.run("ls", ["-A", "/run/netns"], { check: false })).stdout !== "";
}
