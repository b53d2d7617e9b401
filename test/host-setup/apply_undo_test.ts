/**
 * A fresh host is set up and restored, together with the rules of other programs.
 *
 *   internet 198.51.100.1 ── enX0 198.51.100.11 [ host: rules of Docker and by hand, and host-setup's ]
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertSame, testIf } from "../harness/mod.ts";
import {
  addForeignRules,
  freshHost,
  needs,
  readGolden,
  savedRules,
  setup,
  setupJson,
  stateOf,
} from "./_host_setup.ts";

testIf({
  name: "host-setup: apply, a second apply and undo leave other rules exactly as they are",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await addForeignRules(host);
  const foreign = await savedRules(host);
  assertEquals(foreign, readGolden("foreign.rules"));
  const before = await stateOf(host);

  const first = await setupJson(host, ["--apply"]);
  assert(first.changes.length > 8, `${first.changes.length} changes`);
  assertEquals(await savedRules(host), readGolden("applied.rules"));
  const applied = await stateOf(host);

  const second = await setup(host, ["--apply"]);
  assertEquals(second.code, 0, second.stderr);
  assertStringIncludes(second.stdout, "nothing to change: the host is set up");
  assertEquals(await savedRules(host), readGolden("applied.rules"));
  assertSame(applied, await stateOf(host));
  assertEquals((await setup(host, ["--check"])).code, 0);

  const undone = await setupJson(host, ["--undo"]);
  assertEquals(undone.left, []);
  assertEquals(await savedRules(host), foreign);
  assertSame(before, await stateOf(host));

  const again = await setup(host, ["--undo"]);
  assertEquals(again.code, 0);
  assertStringIncludes(again.stdout, "nothing to undo");
  assertSame(before, await stateOf(host));
});

testIf({
  name: "host-setup: plan and check show every change with its reason, and change nothing",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  const before = await stateOf(host);
  const plan = await setupJson(host, ["--plan"]);
  assertEquals((await setup(host, ["--check"])).code, 2);
  assertSame(before, await stateOf(host));
  for (const { kind, id, reason } of plan.changes) {
    assert(reason.length > 10, `${kind} ${id}: ${reason}`);
  }
  const forwarding = plan.changes.find(({ id }) => id === "net/ipv4/ip_forward");
  assertEquals([forwarding?.old, forwarding?.new], ["0", "1"]);
  const { stdout } = await setup(host, ["--plan"]);
  assertStringIncludes(stdout, "net.ipv4.ip_forward: 0 -> 1");
  assertStringIncludes(stdout, "+ -A HPK-SETUP-POST -s 10.72.0.0/16 -o enX0 -j MASQUERADE");

  const { changes } = await setupJson(host, ["--apply"]);
  assertEquals(changes, plan.changes, "apply does what plan showed");
});

testIf({
  name: "host-setup: undo restores the former values, and leaves values changed since",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await host.sh(
    "echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter; echo 1 > /proc/sys/net/ipv4/conf/enX0/rp_filter",
  );
  const before = await stateOf(host);
  await setupJson(host, ["--apply"]);
  await host.sh("echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter");
  assertEquals((await setup(host, ["--check"])).code, 2, "the change is detected");
  const { left } = await setupJson(host, ["--undo"]);
  assertEquals(left.map(({ id }) => id), ["net/ipv4/conf/all/rp_filter"]);
  assertStringIncludes(
    left[0]!.why,
    "it has been changed since: it is 0, and host-setup had set it to 2",
  );
  await host.sh("echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter");
  assertSame(before, await stateOf(host));
});

testIf({
  name:
    "host-setup: apply repairs what was changed or removed, and undo still knows the former state",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  const before = await stateOf(host);
  await setupJson(host, ["--apply"]);
  await host.sh(`
    echo 0 > /proc/sys/net/ipv4/ip_forward
    rm /etc/sysctl.d/99-zz-hpktainer.conf
    iptables -D FORWARD -j HPK-SETUP-FORWARD
    iptables -t nat -F HPK-SETUP-POST
    ip link delete hpk0`);
  const { changes } = await setupJson(host, ["--apply"]);
  assertEquals(changes.map(({ kind, id }) => `${kind} ${id}`).sort(), [
    "bridge hpk0",
    "file /etc/sysctl.d/99-zz-hpktainer.conf",
    "firewall iptables",
    "offload hpk0",
    "sysctl net/ipv4/ip_forward",
  ]);
  assertEquals((await setup(host, ["--check"])).code, 0);
  assertEquals((await setupJson(host, ["--undo"])).left, []);
  assertSame(before, await stateOf(host));
});

testIf({
  name: "host-setup: after a reboot apply restores the volatile part, and undo reverts everything",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  const before = await stateOf(host);
  await setupJson(host, ["--apply"]);
  await host.reboot();
  assertEquals((await setup(host, ["--check"])).code, 2);
  // As the unit does it.
  await setupJson(host, ["--apply"]);
  assertEquals((await setup(host, ["--check"])).code, 0);
  await host.reboot();
  assertEquals((await setupJson(host, ["--undo"])).left, []);
  assertSame(before, await stateOf(host));
});

testIf(
  { name: "host-setup: the next apply reverts what is no longer wanted", needs },
  async () => {
    await using fresh = await freshHost();
    const { host, internet } = fresh;
    await internet.attach(host, {
      ifName: "enX1",
      address: "198.51.100.12/24",
      defaultRoute: false,
    });
    const before = await stateOf(host);
    await setupJson(host, ["--apply"]);
    await setupJson(host, ["--apply", "--uplink", "enX1", "--offload", "keep"]);
    const rpFilter =
      "cat /proc/sys/net/ipv4/conf/enX0/rp_filter /proc/sys/net/ipv4/conf/enX1/rp_filter";
    assertEquals((await host.sh(rpFilter)).stdout, "0\n2\n");
    assertStringIncludes(await savedRules(host), "-o enX1 -j MASQUERADE");
    assertEquals((await host.sh("ls /etc/udev/rules.d")).stdout.includes("hpktainer"), false);
    assertEquals((await setup(host, ["--check"])).code, 0, "options of an apply are kept");
    assertEquals((await setup(host, ["--check", "--uplink", "auto"])).code, 2);
    await setupJson(host, ["--apply", "--uplink", "auto", "--offload", "auto"]);
    assertStringIncludes(await savedRules(host), "-o enX0 -j MASQUERADE");
    assertEquals((await setupJson(host, ["--undo"])).left, []);
    assertSame(before, await stateOf(host));
  },
);

testIf({
  name:
    "host-setup: of several concurrent applies one makes the changes, and the others find nothing to do",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  const before = await stateOf(host);
  const planned = (await setupJson(host, ["--plan"])).changes.length;
  const reports = await Promise.all(Array.from({ length: 4 }, () => setupJson(host, ["--apply"])));
  const counts = reports.map(({ changes }) => changes.length).sort((a, b) => a - b);
  assertEquals(counts, [0, 0, 0, planned]);
  assertEquals((await setupJson(host, ["--undo"])).left, []);
  assertSame(before, await stateOf(host));
});

const CONFIG = "/etc/hpktainer/config.ini";

/** What an administrator may have written before, and what it is with Flannel's line; absent, or a text. */
const CONFIGURATIONS: [string | undefined, RegExp][] = [
  [undefined, /^# Made by host-setup.*\n\[network\]\nnetwork = flannel\n$/],
  ["[network]\nmtu = 1400\n", /^\[network\]\nnetwork = flannel\nmtu = 1400\n$/],
];

for (const [text, expected] of CONFIGURATIONS) {
  testIf({
    name: `host-setup: Flannel's absence is made an error in ${text ? "a" : "no"} configuration`,
    needs,
  }, async () => {
    await using fresh = await freshHost();
    const { host } = fresh;
    await host.sh("mkdir -p /etc/systemd/system && : > /etc/systemd/system/flanneld.service");
    if (text !== undefined) {
      await host.sh(`mkdir -p /etc/hpktainer && cat > ${CONFIG} && chmod 600 ${CONFIG}`, {
        stdin: text,
      });
    }
    const before = await stateOf(host);
    const plan = await setupJson(host, ["--plan"]);
    const own = (list: { kind: string; id: string }[]) =>
      list.filter(({ kind }) => kind === "setting");
    assertEquals(own(plan.changes).map(({ id }) => id), [CONFIG]);
    await setupJson(host, ["--apply"]);
    assertMatch((await host.run("cat", [CONFIG])).stdout, expected);
    assertEquals((await setup(host, ["--check"])).code, 0);
    const undone = await setupJson(host, ["--undo"]);
    assertEquals([own(undone.restored).length, undone.left], [1, []]);
    assertSame(before, await stateOf(host));
  });
}

testIf({ name: "host-setup: a network that is set stays, with a note", needs }, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await host.sh(`mkdir -p /run/flannel /etc/hpktainer && : > /run/flannel/subnet.env
    printf '[network]\\nnetwork = auto\\n' > ${CONFIG}`);
  const { changes, notes } = await setupJson(host, ["--plan"]);
  assertEquals(changes.filter(({ kind }) => kind === "setting"), []);
  assertStringIncludes(notes.join("\n"), "'network = auto'");
  await setupJson(host, ["--apply"]);
  // A change of the administrator's after ours is left as well.
  await host.sh(`rm ${CONFIG}`);
  await setupJson(host, ["--apply"]);
  await host.sh(`sed -i s/flannel/static/ ${CONFIG}`);
  const undone = await setupJson(host, ["--undo"]);
  assertEquals(undone.left.map(({ kind }) => kind).includes("setting"), true);
  assertMatch((await host.run("cat", [CONFIG])).stdout, /network = static/);
});
