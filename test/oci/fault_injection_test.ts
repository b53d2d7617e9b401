/**
 * A kill at any step of a container's start or end leaves nothing that the next start or `gc` does not
 * take down: no process, no network, no control group, no directory.
 *
 * The steps are those that a run with HPK_FAULT_TRACE lists: the list is never written by hand.
 */
import { assert, assertEquals } from "@std/assert";
import {
  eventually,
  eventuallySame,
  ociImages,
  type PrivateHost,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { BUSY, container, crunHost, crunNeeds, ok, run } from "./_crun.ts";

const TRACE = "/run/trace";

interface Scenario {
  readonly name: string;
  /** It has at least so many points, as a check of the list that tracing makes. */
  readonly least: number;
  readonly act: (host: PrivateHost, image: string, env: Record<string, string>) => Promise<unknown>;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "run",
    least: 16,
    act: (host, image, env) => run(host, [image, "true"], { env }),
  },
  {
    name: "run without a network",
    least: 6,
    act: (host, image, env) => run(host, ["--network", "none", image, "true"], { env }),
  },
  {
    name: "run that fails",
    least: 6,
    act: (host, image, env) =>
      run(host, ["--network", "none", "-v", "/etc:/etc/passwd", image, "true"], { env }),
  },
  {
    name: "run -d",
    least: 6,
    act: (host, image, env) =>
      run(host, ["-d", "--rm", "--network", "none", image, "sleep", "1000"], { env }),
  },
];

/** What is in control groups of ours, and in the directory of containers. */
async function leftovers(host: PrivateHost): Promise<string> {
  const { stdout } = await host.sh(
    "ls /var/lib/hpktainer/containers | grep -v '^lock$' || :; " +
      "for pid in $(pgrep -x conmon) $(pgrep -x sleep); do echo process $pid; done",
  );
  return stdout;
}

for (const { name, least, act } of SCENARIOS) {
  testIf(
    { name: `fault injection: ${name}: a kill at any step leaves nothing`, needs: crunNeeds },
    async () => {
      await using host = await crunHost();
      const { busybox } = await ociImages();
      const before = await snapshot(host);
      const endAll = async () => {
        const ids = (await ok(host, ["container", "ls", "-q"])).split("\n").filter((id) =>
          id !== ""
        );
        if (ids.length > 0) await ok(host, ["container", "rm", "-f", ...ids]);
      };
      await act(host, busybox, { HPK_FAULT_TRACE: TRACE });
      await endAll();
      // The monitor comes by its points last.
      const ledger = () => host.sh("ls -d /run/hpktainer", { check: false });
      await eventually(async () => (await ledger()).code !== 0, {
        what: "the end of the monitor",
        ...BUSY,
      });
      const points = new Set(
        (await host.sh(`cat ${TRACE}; rm ${TRACE}`)).stdout.trim().split("\n"),
      );
      assert(points.size >= least, `${points.size} points: ${[...points]}`);
      console.log(`${name}: ${points.size} points`);
      for (const point of points) {
        await act(host, busybox, { HPK_FAULT_KILL: point });
        await endAll();
        await ok(host, ["gc"]);
        await eventuallySame(host, before, BUSY);
        assertEquals(await leftovers(host), "", point);
      }
      assertEquals((await container(host, ["ls", "-aq"])).stdout, "");
    },
  );
}
