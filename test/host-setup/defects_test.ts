/**
 * The defects of the scripts that host-setup replaces, one test each, with real containers.
 *
 *   internet 203.0.113.10 ── enX0 198.51.100.11 [ host ] hpk0 10.72.0.1 ── Apptainer's containers
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  apptainerEnv,
  type Background,
  eventually,
  images,
  type PrivateHost,
  program,
  testIf,
} from "../harness/mod.ts";
import {
  addForeignRules,
  freshHost,
  needs,
  readGolden,
  savedRules,
  setup,
  setupJson,
} from "./_host_setup.ts";

/** Starts a container of plain Apptainer on our network; it runs a shell script. */
async function contain(
  host: PrivateHost,
  script: string,
  ...options: string[]
): Promise<Background> {
  const { base } = await images();
  return await host.spawn("apptainer", [
    "exec",
    "--net",
    "--network",
    "hpk",
    ...options,
    base,
    "sh",
    "-c",
    script,
  ], { env: apptainerEnv() });
}

/** Runs a script in such a container to its end. */
async function inside(host: PrivateHost, script: string, ...options: string[]): Promise<string> {
  await using container = await contain(host, script, ...options);
  return (await container.wait({ timeoutMs: 30_000 })).stdout;
}

testIf({
  name: "defects 1 and 2: no foreign rule is flushed, and no rule of ours exists twice",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await addForeignRules(host);
  for (let run = 0; run < 3; run++) await setupJson(host, ["--apply"]);
  const rules = await savedRules(host);
  assertEquals(rules, readGolden("applied.rules"));
  const own = rules.split("\n").filter((line) =>
    line.includes("HPK-SETUP") && line.startsWith("-A")
  );
  assertEquals(
    new Set(own).size,
    own.length - 1,
    "the jump from FORWARD is in filter and in mangle",
  );
  // Another program flushes everything: the next apply repairs it.
  await host.sh("iptables -F FORWARD; iptables -t nat -F; iptables -t mangle -F");
  assertEquals((await setup(host, ["--check"])).code, 2);
  await setupJson(host, ["--apply"]);
  assertStringIncludes(await savedRules(host), "-A POSTROUTING -j HPK-SETUP-POST");
});

testIf({
  name: "defect 3: no foreign rules are saved to the system, and our unit restores ours",
  needs: [...needs, program("systemd-analyze")],
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await addForeignRules(host);
  await setupJson(host, ["--apply"]);
  const written = await host.sh(
    "find /etc -xdev -newer /run/boot_id -type f -exec grep -l DOCKER {} + || :",
  );
  assertEquals(written.stdout, "");
  const unit = "/etc/systemd/system/hpk-host-setup.service";
  const verified = await host.run("systemd-analyze", ["verify", unit], { check: false });
  assertEquals([verified.code, verified.stderr], [0, ""]);
  const { stdout } = await host.sh(
    `readlink -f ${
      unit.replace("system/hpk", "system/multi-user.target.wants/hpk")
    }; grep ^ExecStart= ${unit}`,
  );
  assertMatch(
    stdout,
    /^\/etc\/systemd\/system\/hpk-host-setup\.service\nExecStart=\/.*\/host-setup --apply --no-packages\n$/,
  );
  // The unit's command, after a boot that kept nothing in the kernel.
  await host.reboot();
  await host.sh(stdout.split("ExecStart=")[1]!);
  assertStringIncludes(await savedRules(host), "-A FORWARD -j HPK-SETUP-FORWARD");
});

testIf({
  name:
    "defects 4 and 7: portmap= works from outside, from the host, and from containers, at each start",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host, internet } = fresh;
  await addForeignRules(host);
  await setupJson(host, ["--apply"]);
  const bridgeNetfilter = "/proc/sys/net/bridge/bridge-nf-call-iptables";
  for (const [port, seesFrames] of [[8080, "0"], [8081, "1"]] as const) {
    await host.sh(`[ ! -e ${bridgeNetfilter} ] || echo ${seesFrames} > ${bridgeNetfilter}`);
    await setupJson(host, ["--apply"]);
    // Each time with the next address.
    await using web = await contain(
      host,
      "ip -o -4 address show eth0; while :; do echo here | nc -l -p 8080; done",
      ...["--network-args", `portmap=${port}:8080/tcp`],
    );
    await web.waitFor(/inet 10\.72\./, { timeoutMs: 20_000 });
    const call = `nc -w 3 198.51.100.11 ${port} < /dev/null`;
    const calls: Record<string, () => Promise<string>> = {
      "outside": async () => (await internet.sh(`busybox ${call}`)).stdout,
      "the host": async () => (await host.sh(`busybox ${call}`)).stdout,
      "another container": () => inside(host, call),
    };
    for (const [from, run] of Object.entries(calls)) {
      await eventually(async () => (await run()).includes("here"), {
        what: `an answer to ${from}, bridge-nf-call-iptables ${seesFrames}`,
        timeoutMs: 20_000,
      });
    }
  }
});

testIf({
  name:
    "defect 5: the configuration has no block that does nothing; checksum offload is really off",
  needs: [...needs, program("ethtool")],
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await setupJson(host, ["--apply"]);
  const config = JSON.parse((await host.sh("cat /etc/apptainer/network/50_hpk.conflist")).stdout);
  assertEquals(config.plugins.map(({ type }: { type: string }) => type), [
    "bridge",
    "firewall",
    "portmap",
  ]);
  assertEquals(config.plugins[0].ipMasq, false);
  assertEquals(config.plugins[0].mtu, 1500);
  await inside(host, "true");
  assertMatch((await host.run("ethtool", ["-k", "hpk0"])).stdout, /^tx-checksumming: off$/m);
});

testIf({
  name:
    "defect 6: name, bridge and subnet are not those of Apptainer's own network, and both work at the same time",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host, internet } = fresh;
  const { base } = await images();
  await setupJson(host, ["--apply"]);
  const script = `ip -o -4 address show eth0; ping -c 1 -W 5 ${internet.outside}`;
  const theirs = await host.run("apptainer", [
    "exec",
    "--net",
    "--network",
    "bridge",
    base,
    "sh",
    "-c",
    script,
  ], { env: apptainerEnv() });
  assertMatch(theirs.stdout, /inet 10\.22\.[\s\S]* 1 packets received/);
  assertMatch(await inside(host, script), /inet 10\.72\.[\s\S]* 1 packets received/);
  const { stdout } = await host.sh("ip -o -4 address show");
  assertMatch(stdout, /hpk0 +inet 10\.72\.0\.1\/16/);
  assertMatch(stdout, /sbr0 +inet 10\.22\.0\.1\/16/);
});

testIf({
  name:
    "defect 8: only our bridge's offload is changed, segmentation stays on, and the udev rule matches only it",
  needs: [...needs, program("ethtool"), program("udevadm")],
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await host.sh("ip link add docker0 type bridge; ip link add veth9 type veth peer name veth8");
  await setupJson(host, ["--apply"]);
  const features = async (link: string) => (await host.run("ethtool", ["-k", link])).stdout;
  assertMatch(await features("hpk0"), /^tx-checksumming: off$/m);
  assertMatch(await features("hpk0"), /^generic-segmentation-offload: on$/m);
  for (const link of ["docker0", "veth9", "enX0"]) {
    assertMatch(await features(link), /^tx-checksumming: on$/m);
  }

  // udev's own view of the rules: what it would run for each link.
  const runs = async (link: string) => {
    const { stdout, stderr } = await host.run("udevadm", [
      "test",
      "--action=add",
      `/sys/class/net/${link}`,
    ], { check: false });
    const said = stdout + stderr;
    assert(!/90-hpktainer-offload\.rules:\d+ (Invalid|Unknown|Failed)/.test(said), said);
    return said.includes(`ethtool -K ${link} tx off`);
  };
  assertEquals([await runs("hpk0"), await runs("docker0"), await runs("veth9")], [
    true,
    false,
    false,
  ]);

  await host.run("ethtool", ["-K", "veth8", "tx", "off"]);
  await setupJson(host, ["--apply", "--offload", "all"]);
  assertMatch(await features("veth9"), /^tx-checksumming: off$/m);
  assertEquals([await runs("hpk0"), await runs("docker0"), await runs("veth9")], [
    true,
    false,
    true,
  ]);
  await setupJson(host, ["--undo"]);
  assertMatch(await features("veth9"), /^tx-checksumming: on$/m);
  assertMatch(await features("veth8"), /^tx-checksumming: off$/m, "as it was before");
});

testIf({
  name:
    "defect 9: the metadata service is closed to containers unless opened, and open to the host",
  needs,
}, async () => {
  await using fresh = await freshHost();
  const { host, internet } = fresh;
  await setupJson(host, ["--apply"]);
  await internet.sh("ip address add 169.254.169.254/32 dev lo");
  await host.sh(`ip route add 169.254.169.254 via ${internet.gateway}`);
  const ping = "ping -c 1 -W 2 169.254.169.254 | grep -c '1 packets received' || :";
  const fromHost = `busybox ${ping}`;
  assertEquals((await host.sh(fromHost)).stdout, "1\n");
  assertStringIncludes(await inside(host, ping), "0\n");
  await setupJson(host, ["--apply", "--imds", "open"]);
  assertStringIncludes(await inside(host, ping), "1\n");
  assertEquals((await setup(host, ["--check"])).code, 0);
});

testIf({
  name: "files in sysctl.d and modules-load.d have the format that their readers expect",
  needs: [...needs, program("sysctl")],
}, async () => {
  await using fresh = await freshHost();
  const { host } = fresh;
  await host.sh(
    "ip link set enX0 down; ip link set enX0 name enX0.5; ip link set enX0.5 up; ip route add default via 198.51.100.1 dev enX0.5",
  );
  await setupJson(host, ["--apply"]);
  const keys =
    "/proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/all/rp_filter /proc/sys/net/ipv4/conf/enX0.5/rp_filter";
  const readers = [
    "sysctl -q -p /etc/sysctl.d/99-zz-hpktainer.conf",
    "/lib/systemd/systemd-sysctl /etc/sysctl.d/99-zz-hpktainer.conf",
  ];
  for (const reader of readers) {
    await host.sh(`for key in ${keys}; do echo 0 > $key; done`);
    const { stderr } = await host.sh(reader);
    assertEquals(stderr, "", reader);
    assertEquals((await host.sh(`cat ${keys}`)).stdout, "1\n2\n2\n", reader);
  }
  const order = (await host.sh("ls -d /etc/sysctl.d/*.conf")).stdout.trim().split("\n");
  assert(order.sort().at(-1)?.endsWith("/99-zz-hpktainer.conf"), order.join());
});
