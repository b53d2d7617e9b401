/**
 * The harness tested by itself, with real namespaces:
 *
 *     internet 198.51.100.1/24, 203.0.113.10/32 ──┬── eth0 of "alpha" 198.51.100.11/24
 *                                                 └── eth0 of "beta"  198.51.100.12/24
 */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as need from "./skip.ts";
import {
  apptainerEnv,
  assertSame,
  diffSnapshots,
  eventually,
  eventuallySame,
  images,
  Internet,
  iperf,
  machine,
  openPty,
  PrivateHost,
  snapshot,
  testIf,
} from "./mod.ts";

const needs = [...need.privateHosts, need.iptables, need.busybox];

/** The parts of the machine's own state in which a leak would show, as text. */
async function machineState(): Promise<string> {
  const { stdout } = await machine.run("sh", [
    "-c",
    "ip -br link; iptables-save | sed '/^#/d; s/\\[.*\\]//'; ip -br addr; ip route show table all; ip netns; " +
    "ls -A /run /var/lib /etc /run/netns ~root/.apptainer/instances 2>&1; cat /proc/self/mountinfo; cat /proc/sys/kernel/hostname",
  ]);
  return stdout;
}

testIf(
  { name: "two hosts and the outside reach each other over the internet", needs },
  async () => {
    await using internet = await Internet.create();
    await using alpha = await PrivateHost.create({ name: "alpha" });
    await using beta = await PrivateHost.create({ name: "beta" });
    await internet.attach(alpha, { address: "198.51.100.11/24" });
    await internet.attach(beta, { address: "198.51.100.12/24", ifName: "ens5", mtu: 9001 });
    for (const address of ["198.51.100.12", internet.gateway, internet.outside]) {
      await alpha.run("busybox", ["ping", "-c1", "-W2", address]);
    }
    await internet.run("busybox", ["ping", "-c1", "-W2", "198.51.100.11"]);
    const { stdout } = await beta.run("ip", ["-j", "link", "show", "ens5"]);
    assertEquals(JSON.parse(stdout)[0].mtu, 9001);
    assertEquals((await beta.run("hostname")).stdout, "beta\n");
  },
);

testIf({ name: "a host lacks hidden files, and may create them", needs }, async () => {
  await using host = await PrivateHost.create({ hidden: ["/etc/passwd"] });
  const before = await snapshot(host);
  const { stdout } = await host.sh(
    "ls /etc/passwd || echo gone; echo own > /etc/passwd; cat /etc/passwd",
  );
  assertEquals(stdout, "gone\nown\n");
  await host.run("rm", ["/etc/passwd"]);
  assertSame(before, await snapshot(host));
  await machine.run("test", ["-s", "/etc/passwd"]);
  await assertRejects(
    () => PrivateHost.create({ hidden: ["/usr/bin/env"] }),
    Error,
    "/usr/bin/env",
  );
});

testIf({ name: "without a default route only the network itself is reached", needs }, async () => {
  await using internet = await Internet.create();
  await using host = await PrivateHost.create();
  await internet.attach(host, { address: "198.51.100.11/24", defaultRoute: false });
  await host.run("busybox", ["ping", "-c1", "-W2", internet.gateway]);
  const outside = ["ping", "-c1", "-W1", internet.outside];
  assert((await host.run("busybox", outside, { check: false })).code !== 0);
});

testIf({ name: "run returns code, signal, output, and throws on request", needs }, async () => {
  await using host = await PrivateHost.create();
  const failed = await host.sh("cat; echo err >&2; exit 7", { stdin: "in", check: false });
  assertEquals([failed.code, failed.signal, failed.stdout, failed.stderr], [
    7,
    null,
    "in",
    "err\n",
  ]);
  const killed = await host.sh("kill -KILL $$", { check: false });
  assertEquals([killed.code, killed.signal], [137, "SIGKILL"]);
  await assertRejects(() => host.sh("echo reason >&2; exit 3"), Error, "exited with 3: reason");
  await assertRejects(() => host.run("sleep", ["9"], { timeoutMs: 50 }), Error, "after 50 ms");
  assertEquals(
    (await host.sh("pwd; echo $X", { cwd: "/etc", env: { X: "1" } })).stdout,
    "/etc\n1\n",
  );
  const left = await host.sh("sleep 9 & echo done");
  assertEquals([left.stdout, left.pipesHeld], ["done\n", true]);
});

testIf({ name: "a signal reaches the command itself", needs }, async () => {
  await using host = await PrivateHost.create();
  await using process = await host.spawn("sh", [
    "-c",
    "trap 'echo caught; exit 5' TERM; echo pid $$; while :; do sleep 0.02; done",
  ]);
  const [, pid] = await process.waitFor(/pid (\d+)/);
  assertEquals(process.innerPid, Number(pid));
  process.signal("SIGTERM");
  const { code, stdout } = await process.wait();
  assertEquals([code, stdout.includes("caught")], [5, true]);
});

testIf({ name: "waitFor ends when the command does, and when time is up", needs }, async () => {
  await using host = await PrivateHost.create();
  await using short = await host.spawn("echo", ["hello"]);
  await assertRejects(() => short.waitFor(/never/), Error, "ended without");
  await using nested = await host.spawn("nsenter", ["-t", "1", "-p", "sleep", "60"], { cwd: "/" });
  nested.signal("SIGKILL");
  await using long = await host.spawn("sleep", ["60"]);
  await assertRejects(() => long.waitFor(/never/, { timeoutMs: 60 }), Error, "60 ms passed");
});

/** One change of each kind that a snapshot must detect, and how to revert it. */
const CHANGES: readonly { what: string; make: string; undo: string; shows: RegExp }[] = [
  {
    what: "a link",
    make: "ip link add v0 type veth peer name v1",
    undo: "ip link del v0",
    shows: /^links \+ v0 /,
  },
  {
    what: "an address",
    make: "ip addr add 10.1.2.3/32 dev lo",
    undo: "ip addr del 10.1.2.3/32 dev lo",
    shows: /^addresses \+ lo 10\.1\.2\.3 /,
  },
  {
    what: "a route",
    make: "ip route add 10.9.0.0/16 dev lo",
    undo: "ip route del 10.9.0.0/16",
    shows: /^routes \+ 10\.9\.0\.0\/16 lo/,
  },
  {
    what: "a routing rule",
    make: "ip rule add from 10.9.0.0/16 table 9",
    undo: "ip rule del from 10.9.0.0/16 table 9",
    shows: /^rules \+ .*10\.9\.0\.0 9/,
  },
  {
    what: "a namespace",
    make: "ip netns add probe",
    undo: "ip netns del probe",
    shows: /^namespaces \+ probe$/,
  },
  {
    what: "a firewall rule",
    make: "iptables -t nat -A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE",
    undo: "iptables -t nat -F POSTROUTING",
    shows: /^firewall4 \+ nat -A POSTROUTING .*MASQUERADE/,
  },
  {
    what: "a chain",
    make: "iptables -N PROBE",
    undo: "iptables -X PROBE",
    shows: /^firewall4 \+ filter :PROBE/,
  },
  {
    what: "a chain's policy",
    make: "iptables -P FORWARD DROP",
    undo: "iptables -P FORWARD ACCEPT",
    shows: /^firewall4 \+ filter :FORWARD DROP/,
  },
  {
    what: "an IPv6 rule",
    make: "ip6tables -A INPUT -s 2001:db8::1 -j DROP",
    undo: "ip6tables -F INPUT",
    shows: /^firewall6 \+ filter -A INPUT/,
  },
  {
    what: "a file in /run",
    make: "echo 1 > /run/probe",
    undo: "rm /run/probe",
    shows: /^files \+ \/run\/probe file 0644/,
  },
  {
    what: "a file in a new directory of /etc",
    make: "mkdir /etc/hpktainer; echo 1 > /etc/hpktainer/probe",
    undo: "rm -r /etc/hpktainer",
    shows: /^files \+ \/etc\/hpktainer\/probe file/,
  },
  {
    what: "a lease",
    make: "mkdir -p /var/lib/cni/net; echo id > /var/lib/cni/net/10.0.0.2",
    undo: "rm -r /var/lib/cni",
    shows: /^files \+ \/var\/lib\/cni\/net\/10\.0\.0\.2 file/,
  },
  {
    what: "a mount",
    make: "mount -t tmpfs x /mnt",
    undo: "umount /mnt",
    shows: /^mounts \+ \/mnt /,
  },
  {
    what: "a sysctl",
    make: "echo 1 > /proc/sys/net/ipv4/ip_forward",
    undo: "echo 0 > /proc/sys/net/ipv4/ip_forward",
    shows: /^sysctls \+ ipv4\/ip_forward:1/,
  },
];

testIf(
  { name: "a snapshot detects each kind of change, and nothing once it is reverted", needs },
  async (t) => {
    await using internet = await Internet.create();
    await using host = await PrivateHost.create();
    await internet.attach(host, { address: "198.51.100.11/24" });
    const before = await snapshot(host);
    assertSame(before, await snapshot(host));
    for (const { what, make, undo, shows } of CHANGES) {
      await t.step(what, async () => {
        await host.sh(make);
        const changed = await snapshot(host);
        const differences = diffSnapshots(before, changed);
        assert(differences.some((line) => shows.test(line)), differences.join("\n"));
        assertThrows(() => assertSame(before, changed), Error, "not as it was");
        await host.sh(undo);
        // A link's end shows a moment later in the other tables.
        await eventuallySame(host, before);
      });
    }
    await t.step("a process", async () => {
      await using _process = await host.spawn("sleep", ["77"]);
      assertEquals(diffSnapshots(before, await snapshot(host)), ["processes + sleep 77"]);
    });
    await eventuallySame(host, before);
  },
);

testIf({ name: "the order of firewall rules is state", needs }, async () => {
  await using host = await PrivateHost.create();
  await host.sh("iptables -A INPUT -s 10.0.0.1 -j DROP; iptables -A INPUT -s 10.0.0.2 -j DROP");
  const before = await snapshot(host);
  await host.sh("iptables -D INPUT 1; iptables -A INPUT -s 10.0.0.1 -j DROP");
  assertEquals(diffSnapshots(before, await snapshot(host)), ["firewall4: same lines, other order"]);
});

testIf(
  { name: "eventuallySame waits for a late tear-down, and reports what stays", needs },
  async () => {
    await using host = await PrivateHost.create();
    const before = await snapshot(host);
    await host.sh("touch /run/late; (sleep 0.2; rm /run/late) > /dev/null 2>&1 &");
    await eventuallySame(host, before);
    await host.sh("touch /run/stays");
    await assertRejects(() => eventuallySame(host, before, { timeoutMs: 50 }), Error, "/run/stays");
  },
);

testIf({ name: "a reboot clears all but the disk, and the uplink comes back", needs }, async () => {
  await using internet = await Internet.create();
  await using host = await PrivateHost.create();
  await internet.attach(host, { address: "198.51.100.11/24" });
  const bootId = async () => (await host.run("cat", ["/proc/sys/kernel/random/boot_id"])).stdout;
  const firstBoot = await bootId();
  await host.sh(
    "mkdir /etc/hpktainer; echo kept > /etc/hpktainer/disk; touch ~root/.apptainer/kept",
  );
  const before = await snapshot(host);
  for (const { make } of CHANGES) {
    if (!/hpktainer|\/var\/lib/.test(make)) await host.sh(make);
  }
  await using process = await host.spawn("sleep", ["600"]);
  await host.reboot();
  assert((await process.wait()).signal === "SIGKILL");
  assertSame(before, await snapshot(host));
  assertMatch(await bootId(), /^[0-9a-f-]{36}\n$/);
  assert(await bootId() !== firstBoot);
  await host.sh("cat /etc/hpktainer/disk ~root/.apptainer/kept");
  await host.run("busybox", ["ping", "-c1", "-W2", internet.outside]);
});

testIf({ name: "only net sysctls can be written", needs }, async () => {
  await using host = await PrivateHost.create();
  const { code } = await host.sh("echo 1 > /proc/sys/vm/drop_caches", { check: false });
  assert(code !== 0);
  await host.sh(
    "ip netns add probe; ip netns exec probe sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'",
  );
  assertEquals((await host.run("cat", ["/proc/sys/net/ipv4/ip_forward"])).stdout, "0\n");
});

testIf({ name: "a TAP device can be made", needs: [...needs, need.tunDevice] }, async () => {
  await using host = await PrivateHost.create();
  await host.sh("ip tuntap add dev tap0 mode tap; ip link show tap0");
});

testIf({ name: "everything disappears when the test process is killed", needs }, async () => {
  const program = `
    import { PrivateHost } from ${
    JSON.stringify(new URL("./private_host.ts", import.meta.url).href)
  };
    const host = await PrivateHost.create({ name: "orphan" });
    const sleeper = await host.spawn("sleep", ["600"]);
    console.log("pids", host.pid, sleeper.pid);
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  `;
  await using child = await machine.spawn(Deno.execPath(), ["eval", "--no-config", program]);
  const [, ...pids] = await child.waitFor(/pids (\d+) (\d+)/, { timeoutMs: 20_000 });
  assertEquals(await Promise.all(pids.map(isRunning)), [true, true]);
  child.signal("SIGKILL");
  await child.wait();
  await eventually(
    async () => (await Promise.all(pids.map(isRunning))).every((running) => !running),
    { what: "end of the orphaned host" },
  );
});

async function isRunning(pid: string): Promise<boolean> {
  const { stdout } = await machine.run("sh", ["-c", `cat /proc/${pid}/comm 2>/dev/null || :`]);
  return /^(bash|sleep)$/m.test(stdout);
}

testIf({ name: "the machine is as before after a test that throws", needs }, async () => {
  const before = await machineState();
  await assertRejects(
    async () => {
      await using internet = await Internet.create();
      await using host = await PrivateHost.create({ name: "doomed" });
      await internet.attach(host, { address: "198.51.100.11/24" });
      for (const { make } of CHANGES) await host.sh(make);
      throw new Error("doomed");
    },
    Error,
    "doomed",
  );
  assertEquals(await machineState(), before);
});

testIf({ name: "iperf measures between two places", needs: [...needs, need.iperf3] }, async () => {
  await using internet = await Internet.create();
  await using host = await PrivateHost.create();
  await internet.attach(host, { address: "198.51.100.11/24" });
  const { bitsPerSecond } = await iperf({
    server: host,
    client: internet,
    address: "198.51.100.11",
    seconds: 1,
  });
  assert(bitsPerSecond > 1e8, `${bitsPerSecond} bit/s`);
  await assertRejects(
    () => iperf({ server: host, client: internet, address: internet.outside, seconds: 1 }),
    Error,
    "iperf3: ",
  );
});

testIf({ name: "a terminal echoes, resizes, interrupts", needs }, async () => {
  await using host = await PrivateHost.create();
  await using pty = await openPty(host, "sh", ["-i"], {
    rows: 30,
    columns: 90,
    env: { PS1: "> " },
  });
  await pty.readUntil(/> $/);
  await pty.write("stty size\r");
  assertMatch(await pty.readUntil(/\d+ \d+\r\n> /), /^stty size\r\n30 90\r\n> $/);
  await pty.resize(40, 100);
  await pty.write("stty size\r");
  await pty.readUntil(/40 100\r\n> /);
  // The quotes distinguish the command's output from the echo of the input. A trap, because a plain
  // shell can lose the signal before an exec.
  await pty.write(
    `sh -c 'trap "echo cau""ght; exit 3" INT; echo be""gun; while :; do sleep 0.05; done'\r`,
  );
  await pty.readUntil(/begun\r\n/);
  await pty.write("\x03");
  await pty.readUntil(/\^C/);
  await pty.readUntil(/caught\r\n> $/);
  await pty.write("exit 9\r");
  assertEquals(await pty.waitExit(), 9);
});

testIf(
  { name: "Apptainer runs and keeps its instances inside", needs: [...needs, need.apptainer] },
  async () => {
    const { base, sandbox, scratch } = await images();
    const env = apptainerEnv();
    const before = await machineState();
    {
      await using host = await PrivateHost.create({ name: "alpha" });
      const clean = await snapshot(host);
      await host.run("apptainer", ["exec", base, "true"], { env });
      assertEquals(
        (await host.run("apptainer", ["exec", sandbox, "hostname"], { env })).stdout,
        "alpha\n",
      );
      await host.run("apptainer", ["exec", scratch, "/bin/busybox", "true"], { env });
      await host.run("apptainer", ["instance", "start", base, "one"], { env });
      const list = await host.run("apptainer", ["instance", "list", "-j"], { env });
      assertEquals(JSON.parse(list.stdout).instances[0].instance, "one");
      await host.sh("ls ~root/.apptainer/instances/app/alpha/root/one");
      await host.run("apptainer", ["instance", "stop", "one"], { env });
      await eventuallySame(host, clean);
      await host.run("apptainer", ["instance", "start", base, "lost"], { env });
    }
    assertEquals(await machineState(), before);
  },
);
