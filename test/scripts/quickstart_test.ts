/**
 * scripts/quickstart, as a new user types it:
 *
 *     host ── eth0 198.51.100.11/24 ── internet
 *      └── hpk-bridge ──┬── quickstart-a, serves
 *                       └── quickstart-b, calls it
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  diffSnapshots,
  eventuallySame,
  images,
  Internet,
  iperf3,
  PrivateHost,
  program,
  type RunResult,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk, needs, SUBNET } from "../harness/hpktainer.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const QUICKSTART = `${ROOT}scripts/quickstart`;
const TIMEOUT_MS = 120_000;

const FLANNEL_ENV = `FLANNEL_NETWORK=10.244.0.0/16
FLANNEL_SUBNET=10.244.7.1/24
FLANNEL_MTU=1450
FLANNEL_IPMASQ=true
`;

const all = [...needs, iperf3, program("ps"), program("script")];

function quickstart(host: PrivateHost, ...args: string[]): Promise<RunResult> {
  return host.run(QUICKSTART, args, { check: false, timeoutMs: TIMEOUT_MS });
}

/** The output that is the same on every machine: its steps, and the commands that it shows. */
function outline(text: string): string[] {
  return text.match(/^(?:== |\$ ).*$/gm) ?? [];
}

/** What every good run shows, with the gateway and the two addresses of its subnet. */
function assertShown({ code, stdout, stderr }: RunResult, prefix: string): void {
  assertEquals(code, 0, stdout + stderr);
  for (
    const line of [
      `gateway ${prefix}.1 on hpk-bridge`,
      `quickstart-a has ${prefix}.2 and listens`,
      `inet ${prefix}.3/24`,
      `default via ${prefix}.1 dev eth0`,
      "3 packets received, 0% packet loss",
      "exit status: 7",
      "are as before",
    ]
  ) assertStringIncludes(stdout, line);
  const rate = /([0-9.]+) Gbits\/sec +receiver/.exec(stdout)?.[1];
  assert(Number(rate) > 0, stdout);
}

async function assertUnchanged(
  host: PrivateHost,
  before: Awaited<ReturnType<typeof snapshot>>,
): Promise<void> {
  assertEquals(diffSnapshots(before, await snapshot(host)), []);
}

testIf(
  { name: "quickstart does the main job, twice, and leaves nothing", needs: all },
  async () => {
    await using internet = await Internet.create();
    await using host = await PrivateHost.create();
    await internet.attach(host, { address: "198.51.100.11/24" });
    const before = await snapshot(host);
    const page = await Deno.readTextFile(`${ROOT}docs/quickstart.md`);
    for (let turn = 1; turn <= 2; turn++) {
      const result = await quickstart(host);
      assertShown(result, "10.96.0");
      // The page leaves out the first step, which only builds.
      assertEquals(outline(result.stdout.replace("== hpktainer\n", "")), outline(page));
      await assertUnchanged(host, before);
    }
  },
);

testIf({ name: "quickstart uses Flannel's subnet where flanneld runs", needs: all }, async () => {
  await using host = await PrivateHost.create();
  await host.sh("mkdir /run/flannel; cat >/run/flannel/subnet.env", { stdin: FLANNEL_ENV });
  const before = await snapshot(host);
  const result = await quickstart(host);
  assertShown(result, "10.244.7");
  assertStringIncludes(result.stdout, "MTU 1450");
  await assertUnchanged(host, before);
});

testIf({ name: "quickstart uses the host's configured network", needs: all }, async () => {
  await using host = await PrivateHost.create();
  await host.sh("mkdir -p /etc/hpktainer; cat >/etc/hpktainer/config.ini", {
    stdin: "[network]\nnetwork = static\nsubnet = 10.97.0.0/24\n",
  });
  assertShown(await quickstart(host), "10.97.0");
});

testIf({ name: "quickstart skips a subnet that the host uses", needs: all }, async () => {
  await using host = await PrivateHost.create();
  await host.sh("ip link add up0 type veth peer name up1; ip address add 10.96.0.9/24 dev up0");
  assertShown(await quickstart(host), "10.213.96");
});

testIf({ name: "quickstart names a conflict and changes nothing", needs: all }, async () => {
  await using host = await PrivateHost.create();
  await host.sh("ip link add hpk-bridge type veth peer name other; ip link set other up");
  await host.sh("ip address add 10.50.0.1/16 dev other");
  const before = await snapshot(host);
  const cases: [string[], RegExp][] = [
    [[], /'network' failed: cannot use the bridge hpk-bridge: .* is a veth; choose another name/],
    [["--subnet", "10.22.5.0/24"], /'network' failed: cannot use the bridge hpk-bridge/],
    [["--subnet", "nonsense"], /'network' failed: .*'nonsense'.*; give an IPv4 network/],
    [["--subnet"], /unknown arguments '--subnet': write scripts\/quickstart/],
  ];
  for (const [args, line] of cases) {
    const { code, stderr } = await quickstart(host, ...args);
    assertEquals(code, 1);
    assertMatch(stderr, line);
    await assertUnchanged(host, before);
  }
  await host.sh("ip link delete hpk-bridge; ip link add other type veth peer name up1");
  await host.sh("ip address add 10.50.0.1/16 dev other");
  const { code, stderr } = await quickstart(host, "--subnet", "10.50.3.0/24");
  assertEquals(code, 1);
  assertMatch(stderr, /'network' failed: cannot use subnet 10\.50\.3\.0\/24: it overlaps other/);
});

testIf({ name: "quickstart works while containers run", needs: all }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const options = ["--subnet", "10.99.0.0/24"];
  await hpk(host, ["instance", "start", ...options, base, "tenant"], { check: true });
  const { code, stdout, stderr } = await quickstart(host);
  assertEquals(code, 0, stdout + stderr);
  assertStringIncludes(stdout, "quickstart-a has 10.99.0.3 and listens");
  await hpk(host, ["exec", "instance://tenant", "ping", "-c", "1", "10.99.0.1"], { check: true });
});

testIf({ name: "quickstart names the step that fails", needs: all }, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  await hpk(host, ["instance", "start", "--subnet", SUBNET, base, "quickstart-a"], { check: true });
  const { code, stderr } = await quickstart(host);
  assertEquals(code, 1);
  assertMatch(stderr, /'a container that serves' failed: .*a container of that name exists/);
});

testIf({ name: "quickstart cleans up when it is interrupted", needs: all }, async () => {
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  await using running = await host.spawn(QUICKSTART);
  await running.waitFor(/quickstart-a has/, { timeoutMs: TIMEOUT_MS });
  running.signal("SIGTERM");
  assertEquals((await running.wait()).code, 143);
  await eventuallySame(host, before, { timeoutMs: 15_000 });
});
