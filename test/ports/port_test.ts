/**
 * `hpktainer port` changes the published ports of a running container.
 *
 *   internet 198.51.100.1 ── eth0 198.51.100.11 [ host ] hpk-bridge ── server 10.96.0.10
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  eventuallySame,
  images,
  Internet,
  PrivateHost,
  program,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { endContainer, holdContainer, listed, ok } from "../harness/containers.ts";
import { ask, assertSilent, inContainer, serve } from "../harness/echo_place.ts";
import { hpk, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";

const STATIC = ["--subnet", SUBNET];
const UPLINK = "198.51.100.11";
const SERVER = "10.96.0.10";
const PORT = 7007;

testIf(
  { name: "port add and rm change a running container", needs: [...needs, program("conntrack")] },
  async (t) => {
    await using internet = await Internet.create();
    await using host = await PrivateHost.create();
    await internet.attach(host, { address: `${UPLINK}/24` });
    const { base } = await images();
    const before = await snapshot(host);
    const held = await holdContainer(host, base, [...STATIC, "--name", "a", "--ip", SERVER]);
    const server = await serve(await inContainer(host, "a"), SERVER, PORT);
    await using _server = server;
    const own = await snapshot(host);

    await t.step("add opens ports, and prints them", async () => {
      const shown = await ok(host, ["port", "add", "a", `8080:${PORT}`, `8080:${PORT}/udp`]);
      assertStringIncludes(shown, "a          *     8080  tcp       10.96.0.10:7007\n");
      assertEquals(await ask(internet, "tcp", UPLINK, 8080), "198.51.100.1");
      assertEquals(await ask(host, "tcp", "127.0.0.1", 8080), "10.96.0.1");
      assertEquals(await ask(internet, "udp", UPLINK, 8080), "198.51.100.1");
    });
    await t.step("add gives a free port for 0", async () => {
      const { ports } = JSON.parse(await ok(host, ["port", "add", "a", `0:${PORT}`, "--json"]));
      assertEquals(ports.length, 1);
      assertEquals(await ask(internet, "tcp", UPLINK, ports[0].hostPort), "198.51.100.1");
      assertMatch(await ok(host, ["ps"]), new RegExp(` ${ports[0].hostPort}:${PORT}/tcp`));
      await ok(host, ["port", "rm", "a", String(ports[0].hostPort)]);
    });
    await t.step("a UDP flow that began before is forwarded too", async () => {
      // Datagrams always from one port: the kernel tracks them as one flow.
      const flow = await internet.spawn("bash", [
        ...[
          "-c",
          `exec 3<>/dev/udp/${UPLINK}/8181; while :; do cat <&3; sleep 0.1; done 2>/dev/null & while sleep 0.2; do echo x >&3; done`,
        ],
      ]);
      await using _flow = flow;
      await host.sh(
        "for i in 1 2 3 4 5 6 7 8 9 10; do conntrack -L -p udp 2>/dev/null | grep -q dport=8181 && exit 0; sleep 0.2; done; exit 1",
      );
      await ok(host, ["port", "add", "a", `8181:${PORT}/udp`]);
      await flow.waitFor(/198\.51\.100\.1/, { stream: "stdout", timeoutMs: 20_000 });
      const so = flow.stdout.length;
      await ok(host, ["port", "rm", "a", "8181/udp"]);
      // Datagrams under way may still arrive; then it is silent.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const rest = flow.stdout.length;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      assertEquals(flow.stdout.length, rest, `${so}`);
    });
    await t.step("gc restores what another program has removed", async () => {
      await host.sh("iptables -t nat -F; iptables -F FORWARD");
      await assertSilent(internet, "tcp", UPLINK, 8080);
      await ok(host, ["gc"]);
      assertEquals(await ask(internet, "tcp", UPLINK, 8080), "198.51.100.1");
    });
    await t.step("rm closes a part of a range", async () => {
      await ok(host, ["port", "add", "a", "5000-5009:6000-6009"]);
      await ok(host, ["port", "rm", "a", "5003-5004"]);
      const shown = await ok(host, ["port", "ls", "a"]);
      assertStringIncludes(shown, " 5000-5002  tcp       10.96.0.10:6000-6002\n");
      assertStringIncludes(shown, " 5005-5009  tcp       10.96.0.10:6005-6009\n");
      await ok(host, ["port", "rm", "a", "5000-5009"]);
    });
    await t.step("rm closes ports", async () => {
      await ok(host, ["port", "rm", "a", "8080", "8080/udp"]);
      await assertSilent(internet, "tcp", UPLINK, 8080);
      await assertSilent(host, "udp", "127.0.0.1", 8080);
      assertEquals(
        await ok(host, ["port", "ls", "--json"]),
        '{\n  "version": 1,\n  "ports": []\n}\n',
      );
    });
    await t.step("what cannot be done changes nothing", async () => {
      await ok(host, ["port", "add", "a", "9090:1"]);
      const rules = (await host.run("iptables-save")).stdout.replaceAll(/\[[0-9:]+\]|^#.*$/gm, "");
      const cases: [string[], RegExp][] = [
        [["add", "b", "1:1"], /cannot publish ports of 'b': no container has that name or id; /],
        [["add", "a", "2:2", "9090:2"], /cannot publish 9090:2\/tcp: container 'a' has it; /],
        [["add", "a", "nonsense"], /cannot publish 'nonsense': the value is wrong; give /],
        [["add", "a"], /cannot run 'hpktainer port add': PORTS is missing/],
        [["rm", "a", "9090", "9091"], /cannot take port 9091 away from 'a': it has 9090:1\/tcp; /],
        [["rm", "a", "x"], /cannot take away 'x': the value is wrong; give /],
        [["ls", "b"], /cannot show the ports of 'b': no container has that name or id; /],
      ];
      for (const [args, why] of cases) {
        const { code, stdout, stderr } = await hpk(host, ["port", ...args]);
        assertEquals([code, stdout], [125, ""], args.join(" "));
        assertMatch(stderr, why);
        assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
      }
      const after = (await host.run("iptables-save")).stdout;
      assertEquals(after.replaceAll(/\[[0-9:]+\]|^#.*$/gm, ""), rules);
      await ok(host, ["port", "rm", "a", "9090"]);
    });
    await t.step("without published ports, the packet filter is as it was", async () => {
      const { firewall4 } = await snapshot(host);
      const loopback = "-A HPK-PREROUTING -d 127.0.0.0/8 -i hpk-bridge -j DROP";
      const isOurs = (line: string) => line.includes(loopback) || /HPK-PREROUTING/.test(line);
      assertEquals(
        firewall4.filter((line) => !isOurs(line)),
        own.firewall4.filter((line) => !isOurs(line)),
      );
    });
    await t.step(
      "adding to a container that was started without ports leaves nothing",
      async () => {
        await ok(host, ["port", "add", "a", "8080:80"]);
        assertEquals((await listed(host)).length, 1);
        await endContainer(held);
        await server[Symbol.asyncDispose]();
        await eventuallySame(host, before, PATIENT);
      },
    );
  },
);
