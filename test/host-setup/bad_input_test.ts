/**
 * Hosts on which something is wrong or missing: the messages, and that nothing is left half done.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertSame, Internet, PrivateHost, program, testIf } from "../harness/mod.ts";
import {
  freshHost,
  HOST_SETUP,
  needs,
  savedRules,
  setup,
  setupJson,
  stateOf,
} from "./_host_setup.ts";

/** Runs an act that must fail, on a host that must stay as it is. */
async function assertRefused(host: PrivateHost, args: string[], message: RegExp): Promise<void> {
  const before = await stateOf(host);
  const { code, stderr } = await setup(host, args);
  assertEquals(code, 1, stderr);
  assertMatch(stderr, message);
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  assertSame(before, await stateOf(host));
}

testIf(
  {
    name:
      "host-setup: without root plan and check report what they can, and apply says why it cannot run",
    needs: [...needs, program("setpriv")],
  },
  async () => {
    await using fresh = await freshHost();
    const { host } = fresh;
    // Readable by everybody.
    await host.run("cp", [HOST_SETUP, "/run/host-setup"]);
    const asUser = (...args: string[]) =>
      host.run("setpriv", [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "/run/host-setup",
        ...args,
        "--no-packages",
      ], { check: false });
    const plan = await asUser("--plan");
    assertEquals(plan.code, 0, plan.stderr);
    assertStringIncludes(plan.stdout, "net.ipv4.ip_forward: 0 -> 1");
    assertStringIncludes(
      plan.stdout,
      "problem: the packet filter cannot be read: only root may read it",
    );
    assertEquals((await asUser("--check")).code, 2);
    for (const act of ["--apply", "--undo", "--verify"]) {
      const { code, stderr } = await asUser(act);
      assertEquals([code, stderr], [
        1,
        `host-setup: cannot run ${act}: that takes root, and you are uid 65534; run 'sudo host-setup ${act}'; --plan and --check show what would change\n`,
      ]);
    }
    await host.run("/run/host-setup", ["--apply", "--no-packages"]);
    assertEquals((await asUser("--check")).code, 1, "whether the rules exist is unknown");
  },
);

testIf({ name: "host-setup: a wrong command line is rejected in one line", needs }, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await assertRefused(
    host,
    [],
    /^host-setup: cannot tell what to do: nothing was asked for; give one of --plan, --apply/,
  );
  await assertRefused(host, ["--plan", "--apply"], /--plan and --apply exclude each other/);
  await assertRefused(host, ["--apply", "--nonsense"], /--nonsense/);
  await assertRefused(
    host,
    ["--apply", "--mtu", "9k"],
    /cannot use --mtu '9k': the value is wrong; give a number of bytes/,
  );
  await assertRefused(host, ["--apply", "--imds", "ajar"], /one of closed, open/);
  await assertRefused(
    host,
    ["--verify", "--target", "here"],
    /cannot use --target 'here': it is not ADDRESS:PORT/,
  );
});

testIf({
  name:
    "host-setup: the uplink is that of the default route the kernel prefers, never a link of containers",
  needs,
}, async () => {
  await using internet = await Internet.create();
  await using host = await PrivateHost.create({ name: "ec2" });
  await internet.attach(host, { ifName: "enX0", address: "198.51.100.11/24", defaultRoute: false });
  await internet.attach(host, { ifName: "enX1", address: "198.51.100.12/24", defaultRoute: false });
  const uplink = async () => {
    const { changes, notes } = await setupJson(host, ["--plan"]);
    const rules = changes.find(({ kind }) => kind === "firewall")!.new!;
    return {
      out: /-s 10\.72\.0\.0\/16 (.*) -j MASQUERADE/.exec(rules.split("224.0.0.0/4")[1]!)![1],
      notes,
    };
  };
  const none = await uplink();
  assertEquals(none.out, "! -o hpk0");
  assert(
    none.notes.some((note) => note.includes("no default route: containers reach only this host")),
    none.notes.join(),
  );

  await host.sh(
    "ip -6 address add 2001:db8::2/64 dev enX0 nodad; ip -6 route add default via 2001:db8::1 dev enX0",
  );
  const six = await uplink();
  assertEquals(six.out, "! -o hpk0");
  assert(six.notes.some((note) => note.includes("only an IPv6 default route")), six.notes.join());

  await host.sh(`
    ip route add default via ${internet.gateway} dev enX0 metric 200
    ip route add default via ${internet.gateway} dev enX1 metric 100`);
  const two = await uplink();
  assertEquals(two.out, "-o enX1");
  assert(
    two.notes.some((note) => note.includes("the kernel prefers enX1 to enX0")),
    two.notes.join(),
  );

  await host.sh(`
    ip link add docker0 type bridge; ip link set docker0 up; ip address add 172.17.0.1/16 dev docker0
    ip route add default via 172.17.0.9 dev docker0 metric 5`);
  const inside = await uplink();
  assertEquals(inside.out, "-o enX1");
  assert(
    inside.notes.some((note) => note.includes("default route via docker0 is ignored")),
    inside.notes.join(),
  );

  await assertRefused(
    host,
    ["--apply", "--uplink", "enX7"],
    /cannot use the uplink enX7: no interface has that name; name one of enX0, enX1/,
  );
  await assertRefused(host, ["--apply", "--uplink", "hpk0"], /it is the bridge of our containers/);
});

testIf({
  name: "host-setup: a subnet, a bridge or a name that is in use is rejected, or another is chosen",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await host.sh("mkdir -p /etc/hpktainer");
  await assertRefused(
    host,
    ["--apply", "--subnet", "198.51.0.0/16"],
    /cannot use subnet 198\.51\.0\.0\/16: it overlaps enX0 \(198\.51\.100\.11\/24\)/,
  );
  await assertRefused(
    host,
    ["--apply", "--subnet", "10.22.4.0/24"],
    /overlaps Apptainer's own bridge network/,
  );
  await assertRefused(host, ["--apply", "--subnet", "10.72.0.0/31"], /too small for containers/);
  await host.sh(
    "ip route add 10.72.9.0/24 dev enX0; printf '[network]\\nsubnet = 10.73.0.0/24\\n' > /etc/hpktainer/config.ini",
  );
  const { changes } = await setupJson(host, ["--plan"]);
  assertStringIncludes(changes.find(({ kind }) => kind === "firewall")!.new!, "-s 10.74.0.0/16");
  await assertRefused(
    host,
    ["--apply", "--subnet", "10.72.0.0/16"],
    /the host's route to 10\.72\.9\.0\/24 via enX0/,
  );
  await assertRefused(host, ["--apply", "--subnet", "10.73.0.0/16"], /hpktainer's network/);

  const network = "/etc/apptainer/network";
  await host.sh(
    `echo '{"name":"hpk","plugins":[{"type":"bridge","bridge":"other0"}]}' > ${network}/99_theirs.conflist`,
  );
  await assertRefused(
    host,
    ["--apply"],
    /cannot name the network 'hpk': .*99_theirs\.conflist has that name, and it is not ours; choose another with 'name = /,
  );
  await host.sh(
    `echo '{"name":"theirs","plugins":[{"type":"bridge","bridge":"hpk0"}]}' > ${network}/99_theirs.conflist`,
  );
  await assertRefused(
    host,
    ["--apply"],
    /cannot use the bridge hpk0: .*99_theirs\.conflist uses it/,
  );
  await host.sh(`rm ${network}/99_theirs.conflist; echo '{}' > ${network}/50_hpk.conflist`);
  await assertRefused(
    host,
    ["--apply"],
    /cannot write .*50_hpk\.conflist: a file of that name exists, and host-setup did not write it/,
  );
  await host.sh(`rm ${network}/50_hpk.conflist; ip link add hpk0 type veth peer name x0`);
  await assertRefused(
    host,
    ["--apply"],
    /cannot use the bridge hpk0: an interface of that name is a veth/,
  );
  await host.sh("ip link delete hpk0; ip link add hpk0 type bridge");
  await assertRefused(
    host,
    ["--apply"],
    /cannot use the bridge hpk0: a bridge of that name exists, and host-setup did not create it/,
  );
  await host.sh("printf '[network]\\nbridge = pods0\\nname = pods\\n' > /etc/hpktainer/host.ini");
  await setupJson(host, ["--apply"]);
  assertStringIncludes(
    (await host.sh(`cat ${network}/50_pods.conflist`)).stdout,
    '"bridge": "pods0"',
  );
});

testIf({
  name: "host-setup: a file of ours that was edited by hand is detected, kept aside and restored",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await setupJson(host, ["--apply"]);
  const path = "/etc/sysctl.d/99-zz-hpktainer.conf";
  await host.sh(`echo 'net.core.somaxconn = 1024' >> ${path}`);
  const check = await setup(host, ["--check"]);
  assertEquals(check.code, 2);
  assertStringIncludes(
    check.stdout,
    `${path} was edited by hand: the edited text is kept as ${path}.edited`,
  );
  await setupJson(host, ["--apply"]);
  assertStringIncludes((await host.sh(`cat ${path}.edited`)).stdout, "somaxconn");
  assertEquals((await setup(host, ["--check"])).code, 0);

  await host.sh(`echo 'net.core.somaxconn = 1024' >> ${path}`);
  const { left } = await setupJson(host, ["--undo"]);
  assertEquals(left.map(({ id }) => id), [path]);
  assertStringIncludes((await host.sh(`cat ${path}`)).stdout, "somaxconn");
});

testIf({
  name: "host-setup: with a full disk or a read-only /etc nothing is left half done",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  // The unit is made last: everything else has to be reverted.
  await host.sh(
    "mount -t tmpfs -o size=4k full /etc/systemd/system; mkdir /etc/systemd/system/multi-user.target.wants; ! cat /dev/zero > /etc/systemd/system/filler 2>/dev/null",
  );
  await assertRefused(
    host,
    ["--apply"],
    /cannot write \/etc\/systemd\/system\/hpk-host-setup\.service: the disk is full; free some space/,
  );
  await host.sh(
    "umount /etc/systemd/system; mkdir -p /var/lib/hpktainer; mount -t tmpfs -o size=4k full /var/lib/hpktainer; ! cat /dev/zero > /var/lib/hpktainer/filler 2>/dev/null",
  );
  await assertRefused(
    host,
    ["--apply"],
    /cannot write \/var\/lib\/hpktainer\/host-setup\.json: the disk is full/,
  );
  await host.sh(
    "umount /var/lib/hpktainer; rmdir /var/lib/hpktainer; mount --bind /etc /etc; mount -o remount,bind,ro /etc",
  );
  await assertRefused(
    host,
    ["--apply"],
    /\/etc\/.*: the file system is read-only; make it writable/,
  );
  assertEquals((await setup(host, ["--plan"])).code, 0);
  await host.sh("umount /etc");
  await setupJson(host, ["--apply"]);
});

testIf({
  name:
    "host-setup: without iptables it reports that, does the rest, and completes once it is installed",
  needs,
}, async () => {
  await using fresh = await freshHost(["/usr/sbin"]);
  const { host } = fresh;
  await host.sh("mkdir /usr/sbin/away; mv /usr/sbin/iptables* /usr/sbin/away");
  const { problems, changes } = await setupJson(host, ["--apply"], 1);
  assertEquals(problems, [
    "iptables-save, iptables-restore are not installed (masquerading and published ports are rules of iptables): install iptables",
  ]);
  assert(changes.some(({ id }) => id === "net/ipv4/ip_forward"));
  await host.sh("mv /usr/sbin/away/* /usr/sbin");
  const rest = await setupJson(host, ["--apply"]);
  assertEquals(rest.changes.map(({ kind }) => kind), ["firewall"]);
  assertStringIncludes(await savedRules(host), "HPK-SETUP-FORWARD");
});

testIf(
  { name: "host-setup: if SELinux is enforcing, written files are labelled", needs },
  async () => {
    await using fresh = await freshHost(["/usr/local"]);
    const { host } = fresh;
    await host.sh(`
    mount -t tmpfs selinux /sys/fs; mkdir /sys/fs/selinux; echo 1 > /sys/fs/selinux/enforce
    printf '#!/bin/sh\\necho "$@" >> /run/labelled\\n' > /usr/local/sbin/restorecon
    chmod 755 /usr/local/sbin/restorecon`);
    const { notes } = await setupJson(host, ["--apply"]);
    assert(notes.some((note) => note.startsWith("SELinux is enforcing")), notes.join());
    const labelled = (await host.sh("cat /run/labelled")).stdout;
    for (
      const path of [
        "/etc/apptainer/network/50_hpk.conflist",
        "/etc/systemd/system/hpk-host-setup.service",
      ]
    ) {
      assertStringIncludes(labelled, `-F ${path}\n`);
    }
  },
);
