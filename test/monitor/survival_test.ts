/**
 * What others do to the host while containers run.
 *
 *   [ host ] foreign firewall rules, foreign links          SIGKILL ──> monitor
 *       hpk-bridge 10.96.0.1 ──┬── container                ip link del, iptables -F ──> ours
 *                              └── foreign0
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  eventually,
  eventuallySame,
  images,
  PrivateHost,
  type Snapshot,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { endContainer, holdContainer, listed, ok } from "../harness/containers.ts";
import { hpk, needs, SUBNET } from "../harness/hpktainer.ts";
import { killMonitor, monitorPids } from "../harness/processes.ts";

const CALM = { timeoutMs: 20_000 };

/** The setting of a case. */
interface Stage {
  readonly host: PrivateHost;
  readonly image: string;
  /** The host before the case. */
  readonly before: Snapshot;
}

const start = ({ host, image }: Stage, ...command: string[]) =>
  ok(host, ["exec", "--subnet", SUBNET, image, ...command]);

const linkNames = async ({ host }: Stage) =>
  (await host.sh("ls /sys/class/net")).stdout.trim().split("\n");

/** The host's name server, which serves the next container as well. */
const isNameServer = (line: string) => line.includes("dnsmasq ");

/** A container whose owner and monitor were killed: nothing has been taken down. */
async function abandon({ host, image }: Stage): Promise<string> {
  const held = await holdContainer(host, image);
  const { namespace } = (await listed(host))[0]!;
  await killMonitor(host);
  held.signal("SIGKILL");
  await held.wait();
  await eventually(async () => (await snapshot(host)).processes.every(isNameServer), {
    what: "the end of the container's processes",
    ...CALM,
  });
  return namespace.replace(/^hpk-/, "");
}

/** Every case begins and ends with the host as it was. */
const CASES: Record<string, (stage: Stage) => Promise<void>> = {
  "a start brings the monitor back after its SIGKILL": async (stage) => {
    const held = await holdContainer(stage.host, stage.image);
    await killMonitor(stage.host);
    await start(stage, "true");
    assertEquals(monitorPids(stage.host).length, 1);
    await endContainer(held);
  },
  "gc brings the monitor back after its SIGKILL": async (stage) => {
    const held = await holdContainer(stage.host, stage.image);
    await killMonitor(stage.host);
    const report = JSON.parse(await ok(stage.host, ["gc", "--json"]));
    assertEquals(report.reclaimed, []);
    await eventually(() => monitorPids(stage.host).length === 1, { what: "a monitor" });
    await endContainer(held);
  },
  "a start brings flushed and removed chains back": async (stage) => {
    const held = await holdContainer(stage.host, stage.image);
    const { firewall4 } = await snapshot(stage.host);
    const damages = [
      "iptables -F; iptables -X",
      "iptables -t nat -F",
      "iptables -F FORWARD",
      "iptables -t mangle -F; iptables -t mangle -X; iptables -t nat -F; iptables -t nat -X",
    ];
    for (const damage of damages) {
      await stage.host.sh(damage);
      assert((await snapshot(stage.host)).firewall4.join() !== firewall4.join(), damage);
      await start(stage, "true");
      assertEquals(
        (await snapshot(stage.host)).firewall4.toSorted(),
        firewall4.toSorted(),
        damage,
      );
    }
    await endContainer(held);
  },
  "a start brings a deleted bridge back": async (stage) => {
    const held = await holdContainer(stage.host, stage.image);
    await stage.host.sh("ip link delete hpk-bridge");
    await start(stage, "ping", "-c", "1", "-W", "10", "10.96.0.1");
    await endContainer(held);
    await ok(stage.host, ["gc"]);
  },
  "a start does not go by what it saw of a host that was being changed": async (stage) => {
    const { host, image } = stage;
    const held = await holdContainer(host, image);
    await killMonitor(host);
    // As if the last tear-down was killed after the removal of the bridge.
    await host.sh(`sed -i 's/"generation":"[^"]*"/"generation":null/' /run/hpktainer/host.json`);
    await using lock = await host.spawn("flock", [
      "/run/hpktainer/lock",
      ...["sh", "-c", "echo locked; read line; ip link delete hpk-bridge"],
    ]);
    await lock.waitFor(/locked/, CALM);
    const trace = await Deno.makeTempFile();
    const seen = hpk(host, ["exec", "--subnet", SUBNET, image, "true"], {
      env: { HPK_FAULT_TRACE: trace },
    });
    await eventually(() => Deno.readTextFileSync(trace).includes("attach.planned"), {
      what: "a start that has looked",
      ...CALM,
    });
    await lock.closeStdin();
    const { code, stderr } = await seen;
    assertEquals(code, 0, stderr);
    await Deno.remove(trace);
    await endContainer(held);
    await ok(host, ["gc"]);
  },
  "a bridge that was deleted and not restored is not an error at the end": async (stage) => {
    const held = await holdContainer(stage.host, stage.image);
    await stage.host.sh("ip link delete hpk-bridge");
    await endContainer(held);
  },
  "a bridge with a foreign port stays, gc says so, and it goes with the port": async (stage) => {
    const held = await holdContainer(stage.host, stage.image);
    await stage.host.sh(
      "ip link add foreign0 type veth peer name foreign1 && ip link set foreign0 master hpk-bridge",
    );
    await endContainer(held);
    await eventually(async () => (await listed(stage.host)).length === 0, {
      what: "the container's release",
      ...CALM,
    });
    const { code, stdout } = await hpk(stage.host, ["gc", "--json"]);
    assertEquals([code, JSON.parse(stdout).errors], [
      1,
      ["the bridge hpk-bridge is in use by foreign0"],
    ]);
    assert((await linkNames(stage)).includes("hpk-bridge"));
    await start(stage, "ping", "-c", "1", "-W", "10", "10.96.0.1");
    await stage.host.sh("ip link delete foreign0");
    await ok(stage.host, ["gc"]);
  },
  "foreign firewall rules stay as they are, and forwarding with them": async (stage) => {
    const { host } = stage;
    await host.sh(`
      iptables -P FORWARD DROP; iptables -N DOCKER; iptables -A FORWARD -o docker0 -j DOCKER
      iptables -A DOCKER -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j ACCEPT
      iptables -t nat -N DOCKER; iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
      iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
      iptables -t mangle -A FORWARD -p tcp -m tcp --dport 9 -j MARK --set-xmark 0x1/0xffffffff`);
    const foreign = async () => {
      const { stdout } = await host.sh("iptables-save");
      return stdout.replaceAll(/\[\d+:\d+\]/g, "").split("\n")
        .filter((line) => !line.startsWith("#") && !line.includes("HPK-")).join("\n");
    };
    const rules = await foreign();
    await using held = await holdContainer(host, stage.image);
    assertEquals(await foreign(), rules);
    const { address } = (await listed(host))[0]!;
    await start(stage, "ping", "-c", "1", "-W", "10", address);
    assertEquals(await foreign(), rules);
    await endContainer(held);
    await eventually(() => monitorPids(host).length === 0, { what: "the monitor's end", ...CALM });
    const { stdout: saved } = await host.sh("iptables-save");
    assert(!saved.includes("HPK-"), saved);
    assertEquals(await foreign(), rules);
    assertEquals((await host.sh("cat /proc/sys/net/ipv4/ip_forward")).stdout, "1\n");
    await host.sh(`
      iptables -P FORWARD ACCEPT; for table in filter nat mangle; do
        iptables -t $table -F; iptables -t $table -X
      done; echo 0 > /proc/sys/net/ipv4/ip_forward`);
  },
  "a record that cannot be read is reclaimed by gc": async (stage) => {
    const id = await abandon(stage);
    await stage.host.sh(`printf '{' > /run/hpktainer/containers/${id}.json`);
    assertStringIncludes(await ok(stage.host, ["gc"]), `cleaned up ${id}: `);
  },
  "a record that cannot be read is reclaimed with the next container": async (stage) => {
    const id = await abandon(stage);
    await stage.host.sh(`: > /run/hpktainer/containers/${id}.json`);
    await start(stage, "true");
  },
  "a namespace that was deleted by hand is not an error at the end": async (stage) => {
    const held = await holdContainer(stage.host, stage.image);
    const { namespace } = (await listed(stage.host))[0]!;
    await stage.host.run("ip", ["netns", "delete", namespace]);
    await endContainer(held);
  },
  "gc --dry-run reports what gc would do, and changes nothing": async (stage) => {
    const id = await abandon(stage);
    const abandoned = await snapshot(stage.host);
    const planned = JSON.parse(await ok(stage.host, ["gc", "--dry-run", "--json"]));
    assertEquals([planned.dryRun, planned.reclaimed[0].id], [true, id]);
    assertMatch(await ok(stage.host, ["gc", "--dry-run"]), new RegExp(`^would clean up ${id}: `));
    await eventuallySame(stage.host, abandoned, CALM);
    const done = JSON.parse(await ok(stage.host, ["gc", "--json"]));
    assertEquals(done, { ...planned, dryRun: false });
  },
};

testIf({ name: "whatever others do to the host, it is as before at the end", needs }, async (t) => {
  const { base } = await images();
  for (const [name, play] of Object.entries(CASES)) {
    await t.step(name, async () => {
      // A separate host for each: a failure does not affect the next.
      await using host = await PrivateHost.create();
      const before = await snapshot(host);
      await play({ host, image: base, before });
      await eventuallySame(host, before, CALM);
    });
  }
});
