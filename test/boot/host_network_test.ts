/**
 * Booted containers in the host's network: they leave it as it was. The "boot defects" are those of
 * the overrides that this replaces, by their numbers.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertSame, eventuallySame, findProgram, snapshot, testIf } from "../harness/mod.ts";
import { hpk, PATIENT } from "../harness/hpktainer.ts";
import {
  boot,
  bootHost,
  cgroupsOf,
  fetchFrom,
  HOST_ADDRESS,
  inside,
  MASKED_IN_IMAGE,
  networkOf,
  ownLines,
  PAGE,
  show,
  stop,
} from "./_booted.ts";
import { needs } from "./_image.ts";

/** Sockets that listen on an abstract name (proc(5), /proc/net/unix: flag __SO_ACCEPTCON). */
const ABSTRACT_LISTENERS = "awk '$4 == \"00010000\" && $8 ~ /^@/ { print $8 }' /proc/net/unix";

testIf({
  name: "a container booted in the host's network runs what its image enables, and changes nothing",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  const before = await snapshot(host);
  const listeners = (await host.sh(ABSTRACT_LISTENERS)).stdout;

  const started = await boot(host, "web", ["--host-network"]);
  assertEquals(ownLines(started), []);
  const web = await show(host, "web");
  assertEquals([web.mode, web.address], ["host", null]);
  assertEquals(web.boot, { state: "running", failedUnits: [], differences: [] });
  assertSame(networkOf(before), networkOf(await snapshot(host)));

  // Boot defect 1: the image's own units are all present.
  assertEquals((await inside(host, "web", "systemctl is-active nginx")).trim(), "active");
  const wanted = await inside(host, "web", "ls /etc/systemd/system/multi-user.target.wants");
  assertMatch(wanted, /^nginx\.service$/m);
  // Single files are bound, and no directory.
  const mounts = await inside(host, "web", "grep -o ' /etc/systemd/system[^ ]*' /proc/mounts");
  for (const path of mounts.trim().split(/\s+/)) {
    assertMatch(
      path,
      /^\/etc\/systemd\/system\/[^/]+\.(service|socket|timer|path|mount|automount)$/,
    );
  }

  // Boot defects 2 and 4: what is masked has never been started, nor tried.
  const states = await inside(
    host,
    "web",
    `systemctl show --property=Id,LoadState,ActiveState,NRestarts ${MASKED_IN_IMAGE.join(" ")}`,
  );
  const units = states.trim().split("\n\n");
  assertEquals(units.length, MASKED_IN_IMAGE.length);
  for (const unit of units) {
    assertMatch(unit, /^LoadState=masked$/m);
    assertMatch(unit, /^ActiveState=inactive$/m);
  }
  // Boot defect 3: nothing has failed, nothing restarts repeatedly.
  assertEquals(await inside(host, "web", "systemctl --failed --no-legend"), "");
  // Boot defect 5: no udev, so nothing is renamed.
  assertEquals(await inside(host, "web", "pidof systemd-udevd", false), "");
  // Boot defect 6: abstract sockets are shared, and none is added.
  assertEquals((await host.sh(ABSTRACT_LISTENERS)).stdout, listeners);

  assertEquals(await fetchFrom(internet, `http://${HOST_ADDRESS}/`), PAGE);
  assertEquals(await fetchFrom(internet, `https://${HOST_ADDRESS}/`), PAGE);

  assertEquals(ownLines(await stop(host, "web")), []);
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "allowed units run; their changes of the host are reported, at the start and at the stop",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  const allow = ["networking", "systemd-networkd.service", "nftables.service", "systemd-sysctl"]
    .flatMap(
      (unit) => ["--boot-allow", unit],
    );
  const started = await boot(host, "web", ["--host-network", ...allow]);
  const lines = ownLines(started).join("\n");
  assertMatch(
    lines,
    /^hpktainer: the boot of 'web' changed the host: address ib0 10\.78\.0\.1\/24 is new/m,
  );
  assertMatch(
    lines,
    /packet filter iptables nat POSTROUTING is gone, it was -A POSTROUTING -s 10\.50/,
  );
  assertMatch(lines, /packet filter nft inet mischief is new/);
  assertMatch(lines, /sysctl net\.ipv4\.conf\.all\.rp_filter was 0 and is 1/);
  const { boot: report } = await show(host, "web");
  const parts = new Set(report!.differences.map(({ part }) => part));
  for (const part of ["address", "route", "packet filter", "sysctl"]) assert(parts.has(part), part);
  const active = "systemctl is-active systemd-networkd systemd-networkd.socket nftables nginx";
  assertEquals((await inside(host, "web", active)).trim().split("\n"), Array(4).fill("active"));
  assertEquals(
    (await inside(host, "web", "systemctl is-enabled NetworkManager", false)).trim(),
    "masked",
  );
  // Its stop flushes the packet filter.
  const stopped = ownLines(await stop(host, "web")).join("\n");
  assertMatch(
    stopped,
    /^hpktainer: the stop changed the host: packet filter nft inet mischief is gone/m,
  );
});

testIf({
  name: "a container booted in the host's network is like others: named, listed, reclaimed",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  const before = await snapshot(host);
  // Parts that cannot be compared for lack of a program are reported.
  const nft = findProgram("nft")!;
  await host.run("mount", ["--bind", "/dev/null", nft]);
  // --network host means the same, and capabilities are dropped as requested.
  const options = ["--network", "host", "--drop-caps", "CAP_NET_ADMIN,CAP_NET_RAW"];
  assertEquals(ownLines(await boot(host, "web", options)), [
    "hpktainer: the host's packet filter is compared without nf_tables: nft is not installed; " +
    "install nftables",
  ]);
  await host.run("umount", [nft]);
  const { id, pid, boot: report } = await show(host, "web");
  assertEquals(report?.state, "running");
  assert((await cgroupsOf(host, id)).length > 0);
  const bounding = /^CapBnd:\s*(\S+)$/m.exec(await inside(host, "web", "cat /proc/1/status"))![1];
  // CAP_NET_ADMIN is 12, CAP_NET_RAW 13, CAP_SYS_BOOT 22 (linux/capability.h).
  for (const bit of [12n, 13n, 22n]) assertEquals(BigInt(`0x${bounding}`) >> bit & 1n, 0n);
  const { code, stderr } = await hpk(host, [
    ...["instance", "start", "--boot", "--host-network", "/etc", "web"],
  ]);
  assertEquals(code, 125);
  assertMatch(stderr, /a container of that name exists/);
  // It ends by itself, and is reclaimed automatically.
  await host.run("kill", ["-KILL", String(pid)]);
  await eventuallySame(host, before, PATIENT);
  assertEquals(await cgroupsOf(host, id), []);
});

/** Command lines that are refused, and the message. */
const REFUSED: readonly [string[], RegExp][] = [
  [["--boot", "--host-network", "--ip", "10.96.0.2"], /cannot use --ip with the network 'host'/],
  [["--boot", "--network", "none"], /cannot boot a container with the network 'none'/],
  [["--boot", "--host-network", "--boot-allow", "nginx"], /cannot allow 'nginx' to run/],
  [["--boot", "--boot-timeout", "soon"], /cannot wait for 'soon' seconds/],
  [["--boot-allow", "udev"], /it is only for booted containers/],
];

testIf({
  name: "an impossible boot is refused in one line, before anything is created",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  const before = await snapshot(host);
  for (const [options, says] of REFUSED) {
    const { code, stdout, stderr } = await hpk(host, [
      "instance",
      "start",
      ...options,
      "/etc",
      "web",
    ]);
    assertEquals([code, stdout, stderr.trimEnd().split("\n").length], [125, "", 1], stderr);
    assertMatch(stderr, says);
  }
  assertSame(before, await snapshot(host));
});
