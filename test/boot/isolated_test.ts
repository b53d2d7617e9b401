/** Booted containers in a network of their own. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { apptainerEnv, eventuallySame, snapshot, testIf } from "../harness/mod.ts";
import { hpk, PATIENT } from "../harness/hpktainer.ts";
import {
  BOOT,
  boot,
  bootHost,
  cgroupsOf,
  fetchFrom,
  HOST_ADDRESS,
  inside,
  ISOLATED,
  ownLines,
  PAGE,
  show,
  stop,
} from "./_booted.ts";
import { bootImage, needs } from "./_image.ts";

testIf({
  name: "nginx of a booted container is reached on ports 80 and 443 of the host, wherever it moves",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  const ports = ["80 = instance:web:80", "443 = instance:web:443"];
  await host.sh(
    `mkdir -p /etc/hpktainer; printf '%s\\n' '${ports.join("' '")}' >/etc/hpktainer/host.ini`,
  );
  // It stays on if there are rules of others, as here: see the tests of the firewall.
  await host.sh("echo 1 >/proc/sys/net/ipv4/ip_forward");
  const before = await snapshot(host);
  for (const address of ["10.96.0.7", "10.96.0.9"]) {
    const started = await boot(host, "web", [...ISOLATED, "--ip", address]);
    assertEquals(ownLines(started), []);
    const web = await show(host, "web");
    assertEquals([web.mode, web.address], ["static", address]);
    assertEquals(web.boot, { state: "running", failedUnits: [], differences: [] });
    // The interface is as hpktainer made it, and nothing has touched it.
    const addresses = await inside(host, "web", "ip -4 -o address show dev eth0");
    assertEquals(addresses.match(/inet \S+/g), [`inet ${address}/24`]);
    for (const scheme of ["http", "https"]) {
      assertEquals(await fetchFrom(internet, `${scheme}://${HOST_ADDRESS}/`), PAGE);
    }
    assertEquals(ownLines(await stop(host, "web")), []);
    assertEquals(await cgroupsOf(host, web.id), []);
    await eventuallySame(host, before, PATIENT);
  }
});

testIf({
  name: "a booted container has its own namespaces, and the host's settings are read-only",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  await boot(host, "web", ISOLATED, { SECRET_OF_A_SHELL: "x" });
  const web = await show(host, "web");
  for (const kind of ["cgroup", "ipc", "mnt", "net", "pid", "uts"]) {
    const own = `readlink /proc/${web.pid}/ns/${kind}`;
    const hosts = `readlink /proc/1/ns/${kind}`;
    assertNotEquals((await host.sh(own)).stdout, (await host.sh(hosts)).stdout, kind);
  }
  // Services with a mount namespace of their own need a root that can be bound.
  const mounts = await inside(host, "web", "grep ' / / ' /proc/1/mountinfo");
  assert(!mounts.includes("unbindable"), mounts);
  assertEquals((await inside(host, "web", "systemctl is-active systemd-logind")).trim(), "active");
  // Its services are below its own group, and it sees no other.
  const groups = await cgroupsOf(host, web.id);
  assert(groups.some((path) => path.endsWith("/system.slice/nginx.service")), groups.join("\n"));
  const seen = await inside(
    host,
    "web",
    "find /sys/fs/cgroup -ignore_readdir_race -type d -name 'hpktainer*'",
  );
  assertEquals(seen, "");
  const written = await inside(
    host,
    "web",
    "for f in kernel/pid_max fs/file-max; do (echo 1 >/proc/sys/$f) 2>/dev/null && echo $f; done; :",
  );
  assertEquals(written, "");
  // Those of its own network are its own.
  await inside(host, "web", "echo 512 >/proc/sys/net/core/somaxconn");
  const environment = await inside(host, "web", "tr '\\0' '\\n' </proc/1/environ");
  assert(!environment.includes("SECRET_OF_A_SHELL"), environment);
  assertMatch(environment, /^container=apptainer$/m);
  assertMatch(environment, /^HPK_IP=10\.96\.0\.2\/24$/m);
  // Its own firewall does not affect the host.
  assertMatch(await inside(host, "web", "nft list tables"), /mischief/);
  assert(!(await host.sh("iptables-save -t nat")).stdout.includes("mischief"));
  await stop(host, "web");
});

testIf({
  name: "a container is booted under control groups of version 1, of version 2, and by systemd's",
  needs,
}, async () => {
  /** How to change the host, and the control groups of its container's first process then. */
  const hosts: Record<string, [string, RegExp]> = {
    "version 1": [
      "umount /sys/fs/cgroup/unified",
      /^\d+:name=systemd:\/.*init\.scope$[^]*^0::\/$/m,
    ],
    "version 2": [
      "umount -R /sys/fs/cgroup; mount -n -t cgroup2 cgroup2 /sys/fs/cgroup",
      /^0::\/.*init\.scope$/m,
    ],
    "a configuration for systemd": [
      "sed -i '/^systemd cgroups/d' /etc/apptainer/apptainer.conf; echo 'systemd cgroups = yes' >>/etc/apptainer/apptainer.conf",
      /init\.scope$/m,
    ],
  };
  for (const [what, [change, expected]] of Object.entries(hosts)) {
    const { host, internet } = await bootHost();
    await using _internet = internet;
    await using _ = host;
    await host.sh(change);
    await boot(host, "web", ISOLATED);
    const web = await show(host, "web");
    assertEquals(web.boot?.state, "running", what);
    assertMatch(await inside(host, "web", "cat /proc/1/cgroup"), expected, what);
    const groups = await cgroupsOf(host, web.id);
    assert(groups.length > 0, what);
    // Version 2 passes controllers on only from groups without processes (cgroups(7)).
    const inner = groups.filter((path) => groups.some((other) => other.startsWith(`${path}/`)));
    if (what === "version 2") {
      const { stdout } = await host.sh(
        `cat ${inner.map((path) => `${path}/cgroup.procs`).join(" ")}`,
      );
      assertEquals(stdout, "", what);
    }
    await stop(host, "web");
    assertEquals(await cgroupsOf(host, web.id), [], what);
  }
});

testIf({
  name: "a directory is booted in place, and its own masked units stay as they were",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  const directory = await Deno.makeTempDir({ prefix: "hpktainer-boot-" });
  try {
    const env = { ...apptainerEnv(), DIRECTORY: `${directory}/root`, IMAGE: await bootImage() };
    const copy = 'mkdir "$DIRECTORY"; apptainer -q exec --contain "$IMAGE" ' +
      'tar -c --one-file-system -f - / | tar -x -C "$DIRECTORY"';
    await host.sh(copy, { env, ...BOOT });
    const units = `find ${directory}/root/etc/systemd ${directory}/root/lib/systemd | sort`;
    const before = (await host.sh(units)).stdout;
    const resolver = `${directory}/root/etc/resolv.conf`;
    const cases: [string, string][] = [
      // As the package of systemd-resolved leaves it.
      ["--writable-tmpfs", `ln -sf ../run/systemd/resolve/stub-resolv.conf ${resolver}`],
      ["--writable", `rm ${resolver}; : >${resolver}`],
    ];
    for (const [option, change] of cases) {
      await host.sh(change);
      const args = ["instance", "start", "--boot", ...ISOLATED, "--dns", "192.0.2.53", option];
      const { code, stderr } = await hpk(host, [...args, `${directory}/root`, "web"], BOOT);
      assertEquals(code, 0, stderr);
      assertEquals((await show(host, "web")).boot?.state, "running", stderr);
      const masked = await inside(host, "web", "systemctl is-enabled systemd-networkd", false);
      assertEquals(masked.trim(), "masked");
      const resolved = await inside(host, "web", "cat /etc/resolv.conf");
      assertEquals(resolved, "nameserver 192.0.2.53\n", option);
      await stop(host, "web");
    }
    assertEquals((await host.sh(units)).stdout, before);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

testIf({
  name: "a boot that is late, or leaves a unit failed, is reported; the container stays",
  needs,
}, async () => {
  const { host, internet } = await bootHost();
  await using _internet = internet;
  await using _ = host;
  await host.sh("echo 'none of nginx' >/etc/broken.conf");
  await host.sh("printf '[Service]\\nExecStartPre=/bin/sleep 600\\n' >/etc/slow.conf");
  await host.sh(
    "printf '#!/bin/sh\\ntrap \"exit 0\" INT\\nwhile :; do sleep 1; done\\n' >/etc/other-init",
  );
  await host.sh("chmod 755 /etc/other-init");
  const cases: [string[], RegExp, string][] = [
    [
      ["--bind", "/etc/other-init:/sbin/init"],
      /^hpktainer: 'web' runs, but its first process is not systemd: /,
      "unknown",
    ],
    [
      ["--bind", "/etc/broken.conf:/etc/nginx/nginx.conf"],
      /^hpktainer: 'web' runs, but is degraded, failed: nginx\.service; see /,
      "degraded",
    ],
    [
      [
        "--boot-timeout",
        "4",
        "--bind",
        "/etc/slow.conf:/etc/systemd/system/nginx.service.d/slow.conf",
      ],
      /^hpktainer: 'web' runs, but is not up after 4 s; see /,
      "starting",
    ],
  ];
  for (const [options, says, state] of cases) {
    const lines = ownLines(await boot(host, "web", [...ISOLATED, ...options]));
    assertEquals(lines.length, 1, lines.join("\n"));
    assertMatch(lines[0]!, says);
    assertEquals((await show(host, "web")).boot?.state, state);
    await stop(host, "web");
  }
});
