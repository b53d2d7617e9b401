/**
 * Defects 13 to 16 of the original, as far as no other file tests them; 1 to 7 are in other files.
 *
 *     container ── hpk-bridge [ alpha ] eth0 ── internet ── eth0 [ beta ] hpk-bridge ── container
 *     10.244.1.2        10.244.1.1                                  10.244.2.1         10.244.2.2
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  eventually,
  eventuallySame,
  findCniPlugin,
  findProgram,
  images,
  Internet,
  PrivateHost,
  program,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk, HPKTAINER, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";

/** Wraps a program: the wrapper writes to standard error, and records how it was called. */
const chatter = (path: string, real: string): string =>
  `mkdir -p $(dirname ${path}); cat >${path} <<'END'
#!/bin/sh
echo "called with $*" >>/run/calls
echo '{ "note": "on standard error" }' >&2
exec ${real} "$@"
END
chmod +x ${path}`;

/**
 * A host of a Flannel network as its host-gw backend makes it: routes to the others' subnets, no
 * masquerading of its own.
 */
async function flannelHost(internet: Internet, number: number, peer: number): Promise<PrivateHost> {
  const host = await PrivateHost.create({ name: `host${number}` });
  await internet.attach(host, { address: `198.51.100.1${number}/24` });
  await host.sh(
    `mkdir /run/flannel; cat >/run/flannel/subnet.env <<'END'
FLANNEL_NETWORK=10.244.0.0/16
FLANNEL_SUBNET=10.244.${number}.1/24
FLANNEL_MTU=1500
FLANNEL_IPMASQ=false
END
ip route add 10.244.${peer}.0/24 via 198.51.100.1${peer}`,
  );
  return host;
}

testIf({
  name: "defect 13: between hosts a container is seen by its own address, not by its host's",
  needs,
}, async () => {
  const { base } = await images();
  await using internet = await Internet.create();
  await using alpha = await flannelHost(internet, 1, 2);
  await using beta = await flannelHost(internet, 2, 1);
  for (const host of [alpha, beta]) await host.sh("iptables -P FORWARD DROP");
  // No server of busybox reports its client's address; the kernel's list of connections does.
  const serve = ["nc", "-l", "-p", "9000", "-e", "cat", "/proc/net/tcp6"];
  await using server = await beta.spawn(HPKTAINER, ["exec", "--ip", "10.244.2.9", base, ...serve]);
  const ask = ["exec", "--ip", "10.244.1.9", base, "sh", "-c"];
  const script = "until nc -w 3 10.244.2.9 9000; do sleep 0.1; done </dev/null";
  const { stdout } = await alpha.run(HPKTAINER, [...ask, script]);
  // Address and port of each end in hexadecimal, the address in the byte order of the machine.
  assertMatch(stdout, /0902F40A:2328 [0-9A-F]{24}0901F40A:[0-9A-F]{4} /);
  await server.wait();
  // The outside sees the host's address: it has no route back to a container.
  const outside = ["exec", base, "ping", "-c", "1", "-W", "2", internet.outside];
  assertEquals((await hpk(alpha, outside)).code, 0);
});

testIf({
  name: "defect 14: a plugin's standard error is not mistaken for its answer",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const real = [findCniPlugin("host-local"), findProgram("iptables-restore")] as const;
  await host.sh(chatter("/run/cni/host-local", real[0]!));
  await host.sh(chatter("/run/sbin/iptables-restore", real[1]!));
  const before = await snapshot(host);
  const env = { CNI_PATH: "/run/cni", PATH: `/run/sbin:${Deno.env.get("PATH")}` };
  const args = ["exec", "--subnet", SUBNET, base, "sh", "-c", "echo $HPK_IP"];
  const { code, stdout, stderr } = await hpk(host, args, { env });
  assertEquals([code, stdout, stderr], [0, "10.96.0.2/24\n", ""]);
  const { stdout: calls } = await host.sh("cat /run/calls");
  assertMatch(calls, /^called with --noflush -w \d+/m);
  await eventually(async () => {
    await host.sh("rm -f /run/calls");
    assertSame(before, await snapshot(host));
    return true;
  }, { what: "the host as before", ...PATIENT });
});

testIf({
  name: "defect 14: a start waits while another program holds the packet filter's lock",
  needs: [...needs, program("iptables-legacy-restore"), program("flock")],
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  // Only the legacy programs use that lock.
  const names = ["iptables-save", "iptables-restore"];
  const links = names.map((name) =>
    `ln -s ${findProgram(name.replace("-", "-legacy-"))} /run/sbin/${name}`
  );
  await host.sh(`mkdir /run/sbin; ${links.join("; ")}`);
  await using holder = await host.spawn("flock", ["/run/xtables.lock", "sh", "-c", "echo up; cat"]);
  await holder.waitFor(/up/, PATIENT);
  const env = { PATH: `/run/sbin:${Deno.env.get("PATH")}` };
  const args = ["exec", "--subnet", SUBNET, base, "echo", "started"];
  await using run = await host.spawn(HPKTAINER, args, { env });
  await eventually(async () => {
    const { stdout } = await host.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
    return stdout.includes("iptables-restore --noflush -w");
  }, { what: "a change of the packet filter", ...PATIENT });
  assert(run.running && run.stdout === "", run.stderr);
  await holder.closeStdin();
  const { code, stdout, stderr } = await run.wait();
  assertEquals([code, stdout, stderr.replace(/^Another app is [^\n]+\n/, "")], [
    0,
    "started\n",
    "",
  ]);
  await eventually(async () => {
    const { stdout } = await host.sh("iptables-legacy-save; ls /run");
    return !stdout.includes("HPK-") && !stdout.includes("hpktainer");
  }, { what: "release", ...PATIENT });
});

testIf({
  name: "defect 14: starts at the same instant share one bridge, each with its address",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  const script = "echo $HPK_IP; ping -c 1 -W 2 $HPK_GATEWAY_IP >/dev/null";
  const results = await Promise.all(
    Array.from(
      { length: 6 },
      () => hpk(host, ["exec", "--subnet", SUBNET, base, "sh", "-c", script]),
    ),
  );
  assertEquals(results.map(({ code, stderr }) => [code, stderr]), Array(6).fill([0, ""]));
  for (const { stdout } of results) assertMatch(stdout, /^10\.96\.0\.\d+\/24\n$/);
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "defect 15: another subnet leaves no second address on the bridge",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  const addresses = async () => {
    const { stdout } = await host.run("ip", ["-4", "-j", "address", "show", "hpk-bridge"]);
    return JSON.parse(stdout)[0].addr_info.map(({ local }: { local: string }) => local);
  };
  for (const subnet of [SUBNET, "10.97.0.0/24"]) {
    const gateway = subnet.replace("0.0/24", "0.1");
    await host.run(HPKTAINER, ["instance", "start", "--subnet", subnet, base, "web"]);
    assertEquals(await addresses(), [gateway]);
    const other = await hpk(host, ["exec", "--subnet", "10.98.0.0/24", base, "true"]);
    assertEquals(other.code, 125);
    assertMatch(
      other.stderr,
      /^hpktainer: cannot use the bridge hpk-bridge: [^\n]+hpktainer ps[^\n]+\n$/,
    );
    assertEquals(await addresses(), [gateway]);
    await host.run(HPKTAINER, ["instance", "stop", "web"]);
  }
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "defect 16: run, exec and shell get a network in any image, without a TAP or capabilities",
  needs,
}, async () => {
  const { base, scratch } = await images();
  await using host = await PrivateHost.create();
  await host.sh("printf '%s\\n' '#!/bin/sh' 'echo $HPK_IP' >/run/program; chmod +x /run/program");
  const plain = ["--subnet", SUBNET, "--contain", "--no-privs"];
  const address = "ip -4 -o address show eth0";
  const lines = [
    ["run", ...plain, "--bind", "/run/program:/.singularity.d/runscript", base],
    ["exec", ...plain, scratch, "/bin/busybox", ...address.split(" ")],
    ["shell", ...plain, base],
  ];
  for (const line of lines) {
    const { code, stdout, stderr } = await hpk(host, line, {
      stdin: line[0] === "shell" ? `${address}; echo /dev/net/*\n` : "",
    });
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /10\.96\.0\.\d+\/24/, line[0]);
    assert(!stdout.includes("/dev/net/tun"), stdout);
  }
});
