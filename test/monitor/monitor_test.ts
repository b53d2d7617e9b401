/**
 * The monitor as a process, and the JSON output about containers.
 *
 *   [ host ] caller (a pipe, a lock, a directory of its own) ── hpktainer ── container
 *               monitor: cwd /, null on its standard streams, nothing of the caller's
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  eventually,
  eventuallySame,
  images,
  PrivateHost,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { endContainer, holdContainer, ok } from "../harness/containers.ts";
import { HPKTAINER, needs, SUBNET } from "../harness/hpktainer.ts";
import { monitorPids } from "../harness/processes.ts";

const CALM = { timeoutMs: 20_000 };

testIf(
  {
    name: "the monitor does not hold resources of its caller, and ends with the last container",
    needs,
  },
  async () => {
    const { base } = await images();
    await using host = await PrivateHost.create();
    const before = await snapshot(host);
    const caller = `mkdir /run/theirs; cd /run/theirs; exec 7> file 8< /etc/passwd
    '${HPKTAINER}' exec --subnet ${SUBNET} ${base} sh -c 'echo up; exec sh'`;
    await using first = await host.spawn("sh", ["-c", caller]);
    await first.waitFor(/^up$/m, { stream: "stdout", timeoutMs: 30_000 });
    const second = await holdContainer(host, base);
    const monitors = monitorPids(host);
    assertEquals(monitors.length, 1);
    const [pid] = monitors;
    const { stdout } = await host.sh(
      `readlink /proc/${pid}/cwd; for fd in 0 1 2; do readlink /proc/${pid}/fd/$fd; done`,
    );
    assertEquals(stdout, "/\n/dev/null\n/dev/null\n/var/log/hpktainer/monitor.log\n");
    const fds = (await host.sh(`ls -l /proc/${pid}/fd`)).stdout.split("\n")
      .flatMap((line) => / -> (.+)$/.exec(line)?.[1] ?? []);
    const own =
      /^(\/dev\/null|\/var\/log\/hpktainer\/monitor\.log|\/run\/hpktainer\/monitor\.lock|anon_inode:|(pipe|socket):\[\d+\]$)/;
    assertEquals(fds.filter((target) => !own.test(target) && target !== HPKTAINER), []);
    // Pipes and sockets that no other process has are its runtime's own.
    const shared = await host.sh(
      `for other in /proc/[0-9]*; do
       case $other in /proc/${pid} | /proc/self) continue ;; esac
       ls -l $other/fd 2>/dev/null | sed -n 's/.* -> \\(\\(pipe\\|socket\\):.*\\)/\\1/p'
     done | sort -u`,
    );
    const others = new Set(shared.stdout.split("\n"));
    assertEquals(fds.filter((target) => /^(pipe|socket):/.test(target) && others.has(target)), []);

    await first.closeStdin();
    assertEquals((await first.wait()).code, 0);
    assertEquals(monitorPids(host), monitors);
    await endContainer(second);
    await eventually(() => monitorPids(host).length === 0, { what: "the monitor's end", ...CALM });
    await host.sh("rm -r /run/theirs");
    await eventuallySame(host, before, CALM);
  },
);

const CONTAINER_KEYS =
  "id name kind state address gateway subnet address6 gateway6 subnet6 mode datapath bridge mtu ports isolated masquerade imds runtime image pid created namespace link errors boot"
    .split(" ");

testIf({ name: "ps, show, gc and doctor give JSON of the documented shape", needs }, async (t) => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  const held = await holdContainer(host, base, ["--subnet", SUBNET, "--name", "web"]);
  const json = async (...args: string[]) =>
    JSON.parse(await ok(host, [...args, "--json"], { HPK_SUBNET: SUBNET }));
  const { containers, ...ps } = await json("ps");

  await t.step("ps", () => {
    assertEquals(ps, { version: 1 });
    assertEquals(containers.map(Object.keys), [CONTAINER_KEYS]);
    const { id, created, pid, address, ...rest } = containers[0];
    assertMatch(id, /^[0-9a-f]{12}$/);
    assertMatch(created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
    assertMatch(address, /^10\.96\.0\.\d+$/);
    assert(Number.isInteger(pid) && pid > 1);
    assertEquals(rest, {
      name: "web",
      kind: "run",
      state: "running",
      gateway: "10.96.0.1",
      subnet: SUBNET,
      address6: null,
      gateway6: null,
      subnet6: null,
      mode: "static",
      datapath: "veth",
      bridge: "hpk-bridge",
      mtu: 1500,
      ports: [],
      isolated: false,
      masquerade: true,
      imds: false,
      runtime: "apptainer",
      image: base,
      namespace: `hpk-${id}`,
      link: `hpk${id}`,
      errors: [],
      boot: null,
    });
  });
  await t.step("show, by name and by id", async () => {
    for (const name of ["web", containers[0].id]) {
      assertEquals(await json("show", name), { version: 1, container: containers[0] });
    }
  });
  await t.step("gc", async () => {
    const nothing = { version: 1, reclaimed: [], errors: [], images: [], unused: [], repaired: [] };
    assertEquals(await json("gc"), { ...nothing, dryRun: false });
    assertEquals(await json("gc", "--dry-run"), { ...nothing, dryRun: true });
  });
  await t.step("doctor", async () => {
    const { checks, settings, ...doctor } = await json("doctor");
    assertEquals(doctor, { version: 1, ok: true });
    for (const check of checks) {
      assertEquals(Object.keys(check), ["id", "status", "found", "fix"]);
      assert(["ok", "warn", "fail"].includes(check.status), check.status);
    }
    assertEquals(
      checks.map(({ id }: { id: string }) => id).toSorted().join(" "),
      "apptainer capabilities conmon conntrack containers crun dns firewall forwarding host-local hpk-net-daemon ip iptables-restore monitor names network root setsid skopeo umoci uplink",
    );
    for (const setting of settings) assertEquals(Object.keys(setting), ["key", "value", "origin"]);
    const subnet = settings.find(({ key }: { key: string }) => key === "subnet");
    assertEquals(subnet, { key: "subnet", value: SUBNET, origin: "environment HPK_SUBNET" });
  });
  await endContainer(held);
  await eventuallySame(host, before, CALM);
});
