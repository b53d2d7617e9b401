/**
 * Times containers of OCI images against crun alone, in a private host:
 *
 *   deno task bench:containers [--json FILE] [--runs N]
 *
 * The image takes 100 MB and is in the store. crun alone runs the same command in a bundle that is
 * ready, on the same files. Commands are run in turn and compared pair by pair.
 */
import { parseArgs } from "@std/cli/parse-args";
import { eventually, ociImages } from "../harness/mod.ts";
import { crunHost } from "../harness/crun.ts";
import { type Figure, figureOf, report } from "./_figures.ts";
import { differences } from "./_statistics.ts";
import { timeInTurn } from "./_timing.ts";

const HPKTAINER = Deno.env.get("HPKTAINER") ??
  new URL("../../dist/hpktainer", import.meta.url).pathname;
const RUN = [HPKTAINER, "run", "--runtime", "crun"];
const LEAST_RUNS = 10;
const CROWD = 100;
const TIMEOUT = { timeoutMs: 900_000 };

const options = parseArgs(Deno.args, { string: ["json", "runs"], default: { runs: "15" } });
const runs = Math.max(LEAST_RUNS, Number(options.runs));

const { large } = await ociImages();
await using host = await crunHost();
await host.run(HPKTAINER, ["image", "pull", "--quiet", large], TIMEOUT);
const inspected = JSON.parse((await host.run(HPKTAINER, ["image", "inspect", large])).stdout);
await host.sh(
  `mkdir /run/bundle; cd /run/bundle; crun spec
   jq --arg path '${inspected[0].Rootfs}' \\
     '.root = {path: $path, readonly: true} | .process.args = ["true"] | .process.terminal = false' \\
     config.json > new.json && mv new.json config.json`,
);

// Where control groups are of both versions, crun alone takes those of the first only.
await using firstOnly = await host.spawn("unshare", [
  ...["--mount", "sh", "-c", "umount /sys/fs/cgroup/unified 2>/dev/null || :; echo ready; cat"],
]);
await firstOnly.waitFor(/ready/);
const pid = (await host.sh("pgrep -nx cat")).stdout.trim();

/** Times commands in turn. */
async function time(words: string[][], rounds: number): Promise<number[][]> {
  const commands = words.map((words) => ({ words }));
  return await timeInTurn(host, { rounds, between: [HPKTAINER, "gc"], commands });
}

async function startFigures(): Promise<Figure[]> {
  const [bare, none, pod] = await time([
    [
      ...["nsenter", `--mount=/proc/${pid}/ns/mnt`],
      ...["crun", "--root=/run/bare", "run", "--bundle=/run/bundle", "bare"],
    ],
    [...RUN, "--network", "none", large, "true"],
    [...RUN, large, "true"],
  ], runs) as [number[], number[], number[]];
  return [
    figureOf("crun run on a ready bundle", "ms", bare),
    figureOf("run --network none IMAGE true", "ms", none),
    figureOf("  its difference", "ms", differences(none, bare), 120),
    figureOf("run IMAGE true, on the pod network", "ms", pod),
    figureOf("  its difference", "ms", differences(pod, bare), 120),
  ];
}

/** What the disk holds of ours, in bytes. */
async function diskUse(): Promise<number> {
  return Number((await host.sh("du -s -B1 /var/lib/hpktainer")).stdout.split("\t")[0]);
}

async function diskFigure(): Promise<Figure> {
  const before = await diskUse();
  for (let run = 0; run < LEAST_RUNS; run++) {
    await host.run(RUN[0]!, [...RUN.slice(1), large, "true"]);
  }
  await host.run(HPKTAINER, ["gc"]);
  return figureOf("growth of the disk by ten runs", "MB", [(await diskUse() - before) / 1e6], 0);
}

/** Many containers that go on: their memory and disk, without what they run. */
async function crowdFigures(): Promise<Figure[]> {
  const before = await diskUse();
  for (let made = 0; made < CROWD; made++) {
    await host.run(RUN[0]!, [...RUN.slice(1), "-d", "--rm", large, "sleep", "3600"], TIMEOUT);
  }
  const containers = JSON.parse((await host.run(HPKTAINER, ["ps", "--json"])).stdout).containers;
  const addresses = new Set(containers.map(({ address }: { address: string }) => address));
  if (addresses.size !== CROWD) throw new Error(`${addresses.size} addresses for ${CROWD}`);
  const { stdout } = await host.sh("cat /proc/[0-9]*/status");
  const kilobytes = stdout.split(/^Name:\s*/m)
    .filter((status) => /^(hpktainer|conmon|crun)\n/.test(status))
    .map((status) => Number(/^VmRSS:\s*([0-9]+)/m.exec(status)?.[1] ?? 0));
  const memory = kilobytes.reduce((sum, value) => sum + value, 0) / 1000;
  const figures = [
    figureOf(`memory of ours for each of ${CROWD} containers`, "MB", [memory / CROWD], 12),
    figureOf("disk for each of them", "MB", [(await diskUse() - before) / 1e6 / CROWD]),
  ];
  await host.sh(`'${HPKTAINER}' container kill $('${HPKTAINER}' container ls -q)`, TIMEOUT);
  await eventually(
    async () =>
      JSON.parse((await host.run(HPKTAINER, ["ps", "--json"])).stdout).containers.length === 0,
    { what: "the end of all", ...TIMEOUT },
  );
  return figures;
}

const figures = [...await startFigures(), await diskFigure(), ...await crowdFigures()];
const json = options.json ?? new URL("../../dist/bench-containers.json", import.meta.url).pathname;
await report(figures, json, `runs: ${runs}`);
