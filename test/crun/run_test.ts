/**
 * Containers in the foreground, each with its exit status, streams, identity and limits.
 *
 *     [ host ] hpk-bridge 10.96.0.1 ── containers     one host for all steps of a test
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  debianMachine,
  eventually,
  eventuallySame,
  ociImages,
  type PrivateHost,
  program,
  type RunResult,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk, HPKTAINER } from "../harness/hpktainer.ts";
import { BUSY, container, crunHost, crunNeeds, ok, run } from "../harness/crun.ts";

/** What a container prints; it has to succeed. */
async function output(host: PrivateHost, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(host, args);
  assertEquals(code, 0, `${args.join(" ")}: ${stderr}`);
  return stdout;
}

function lastLine({ stderr }: RunResult): string {
  return stderr.trimEnd().split("\n").at(-1) ?? "";
}

testIf({
  name: "run: exit status and streams are the command's, and nothing is left behind",
  needs: crunNeeds,
}, async (t) => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  await host.sh(
    "mkdir /run/made; printf 'echo hi' > /run/made/text; printf '#!/nosuch\\n' > /run/made/lost; chmod +x /run/made/*",
  );

  await t.step("exit status", async () => {
    const cases: [args: string[], code: number, message: RegExp | undefined][] = [
      [["true"], 0, undefined],
      [["sh", "-c", "exit 7"], 7, undefined],
      [["sh", "-c", "sh -c 'kill -9 $$'; exit $?"], 137, /Killed/],
      [["nosuch"], 127, /cannot start 'nosuch': there is no such program/],
      [["/etc/passwd"], 126, /cannot start '\/etc\/passwd'/],
      [["/etc"], 126, /cannot start '\/etc'/],
    ];
    for (const [command, code, message] of cases) {
      const result = await run(host, ["--network", "none", busybox, ...command]);
      assertEquals([result.code, result.stdout], [code, ""], command.join(" "));
      assertMatch(lastLine(result), message ?? /^$/);
    }
  });

  await t.step("125 for our own errors, before anything is created, in one line", async () => {
    const cases: [args: string[], message: RegExp][] = [
      [["-v", "/nosuch:/x", busybox], /cannot mount \/nosuch at \/x: \/nosuch does not exist/],
      [["-u", "nobody-knows", busybox], /the image has no such user/],
      [["--nosuch", busybox], /cannot understand --nosuch/],
      [["--gpus", "all", busybox], /cannot use --gpus/],
      [["--pull", "never", "alpine"], /the store has none/],
      [["--network", "none", "--ip", "10.96.0.7", busybox], /cannot use --ip with the network/],
      [["--device", "/etc/passwd", busybox], /is not a device/],
      [["--sysctl", "kernel.panic=1", "--network", "none", busybox], /crun says: .*kernel.panic/],
    ];
    for (const [args, message] of cases) {
      const result = await run(host, [...args, "true"]);
      assertEquals([result.code, result.stdout], [125, ""], args.join(" "));
      assertMatch(lastLine(result), message);
    }
    assertEquals((await container(host, ["ls", "-aq"])).stdout, "");
  });

  await t.step("standard input with -i only, to its end, and output as it comes", async () => {
    const data = Array.from({ length: 50_000 }, (_, line) => `${line}\n`).join("");
    const echoed = await run(host, ["-i", busybox, "cat"], { stdin: data });
    assertEquals(echoed.stdout.length, data.length);
    assertEquals((await run(host, [busybox, "cat"], { stdin: data })).stdout, "");
    const both = await run(host, [busybox, "sh", "-c", "echo out; echo err >&2"]);
    assertEquals([both.stdout, both.stderr], ["out\n", "err\n"]);
    await using running = await host.spawn(HPKTAINER, [
      ...["run", "--runtime", "crun", "-i", busybox, "sh", "-c", "echo first; read x; echo got $x"],
    ]);
    await running.waitFor(/^first$/m, { stream: "stdout", ...BUSY });
    await running.write("word\n");
    await running.waitFor(/^got word$/m, { stream: "stdout", ...BUSY });
    assertEquals((await running.wait(BUSY)).code, 0);
  });

  await t.step("output to a file is whole, and the file stays the caller's", async () => {
    const { stdout } = await host.sh(
      `'${HPKTAINER}' run --runtime crun -u 1000 ${busybox} sh -c 'head -c 3000001 /dev/zero' > /run/made/out
       stat -c '%s %u' /run/made/out`,
    );
    assertEquals(stdout, "3000001 0\n");
  });

  await t.step("signals reach the command once, and its status is ours", async () => {
    await using running = await host.spawn(HPKTAINER, [
      ...["run", "--runtime", "crun", busybox, "sh", "-c"],
      "n=0; trap 'n=$((n+1))' USR1; trap 'exit $((50+n))' TERM; echo up; while :; do sleep 0.05; done",
    ]);
    await running.waitFor(/^up$/m, { stream: "stdout", ...BUSY });
    running.signal("SIGUSR1");
    await new Promise((resolve) => setTimeout(resolve, 300));
    running.signal("SIGTERM");
    assertEquals((await running.wait(BUSY)).code, 51);
  });

  await t.step("SIGKILL of hpktainer ends the container and releases all", async () => {
    await using running = await host.spawn(HPKTAINER, [
      ...["run", "--runtime", "crun", busybox, "sh", "-c", "echo up; exec sleep 1000"],
    ]);
    await running.waitFor(/^up$/m, { stream: "stdout", ...BUSY });
    running.signal("SIGKILL");
    await running.wait(BUSY);
    await eventually(async () => (await host.sh("pgrep -x sleep", { check: false })).code === 1, {
      what: "the command's end",
      ...BUSY,
    });
  });

  await host.sh("rm -r /run/made");
  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "run: identity, files, network, security and limits are as requested",
  needs: [...crunNeeds, program("catatonit")],
}, async (t) => {
  await using host = await crunHost();
  const { busybox, features } = await ociImages();
  await ok(host, ["image", "pull", "--quiet", features]);
  const before = await snapshot(host);

  await t.step("the pod network, or none, or the host's", async () => {
    assertMatch(
      await output(
        host,
        busybox,
        "sh",
        "-c",
        "ip -4 -o address show eth0; cat /etc/hosts; echo $HPK_IP",
      ),
      /inet 10\.96\.0\.\d+\/24[^]*10\.96\.0\.\d+\t[0-9a-f]{12}\n10\.96\.0\.\d+\/24\n$/,
    );
    await output(host, "--ip", "10.96.0.77", busybox, "ping", "-c", "1", "10.96.0.1");
    assertMatch(await output(host, "--net=none", busybox, "ip", "-o", "link"), /^1: lo: [^\n]*\n$/);
    assertEquals(
      await output(host, "--net=host", busybox, "readlink", "/proc/self/ns/net"),
      (await host.sh("readlink /proc/self/ns/net")).stdout,
    );
    const resolver = await output(
      host,
      "--dns",
      "192.0.2.53",
      "--add-host",
      "db:192.0.2.7",
      busybox,
      "cat",
      "/etc/resolv.conf",
      "/etc/hosts",
    );
    assertMatch(resolver, /nameserver 192\.0\.2\.53\n[^]*192\.0\.2\.7\tdb\n/);
  });

  await t.step("name, host name, environment, directory, entrypoint", async () => {
    assertEquals(await output(host, "--hostname", "box", busybox, "hostname"), "box\n");
    assertEquals(await output(host, "--name", "web", busybox, "hostname"), "web\n");
    assertEquals(
      await output(
        host,
        "-e",
        "A=1",
        "-e",
        "B=x y",
        "-w",
        "/made/here",
        busybox,
        "sh",
        "-c",
        'echo "$A $B $PWD"',
      ),
      "1 x y /made/here\n",
    );
    assertEquals(await output(host, "--entrypoint", "/bin/echo", busybox, "-n", "x"), "x");
  });

  await t.step("an image's user, environment, entrypoint, directory and volume", async () => {
    assertEquals(
      await output(host, features, "id -u; id -g; echo $GREETING; pwd; touch /data/x && echo ok"),
      "1000\n1000\nhello world\n/srv/app\nok\n",
    );
    const { code } = await run(host, [
      "--read-only",
      features,
      "touch /data/x && ! touch /srv/app/x 2>/dev/null",
    ]);
    assertEquals(code, 0);
  });

  await t.step("users by number and name", async () => {
    const id = (user: string, image = busybox) =>
      output(host, "-u", user, "--entrypoint", "id", image);
    assertMatch(await id("1000:1001"), /^uid=1000(\(app\))? gid=1001/);
    assertMatch(await id("1234"), /^uid=1234 gid=0\(root\)/);
    assertMatch(await id("app", features), /^uid=1000\(app\) gid=1000\(app\)/);
  });

  await t.step("mounts", async () => {
    await host.sh("mkdir -p /run/data; echo old > /run/data/file");
    const { code, stdout } = await hpk(host, [
      ...[
        "run",
        "--runtime",
        "crun",
        "-v",
        "./data:/data:ro",
        "-v",
        "/run/data:/rw",
        "--tmpfs",
        "/t:size=1m",
      ],
      ...[
        busybox,
        "sh",
        "-c",
        "cat /data/file; ! echo x > /data/file; echo new > /rw/file; df -k /t | tail -1",
      ],
    ], { cwd: "/run", ...BUSY });
    assertEquals(code, 0);
    assertMatch(stdout, /^old\n.* 1024 .*\/t\n$/);
    assertEquals((await host.sh("cat /run/data/file; rm -r /run/data")).stdout, "new\n");
  });

  await t.step("Docker's capabilities, a filter of system calls, masked paths", async () => {
    const status = await output(
      host,
      busybox,
      "grep",
      "-E",
      "CapEff|Seccomp:",
      "/proc/self/status",
    );
    assertEquals(status, "CapEff:\t00000000a80425fb\nSeccomp:\t2\n");
    assertMatch(
      await output(
        host,
        "--cap-drop",
        "ALL",
        "--cap-add",
        "NET_RAW",
        busybox,
        "grep",
        "CapEff",
        "/proc/self/status",
      ),
      /0000000000002000/,
    );
    assertEquals(
      await output(
        host,
        busybox,
        "sh",
        "-c",
        "wc -c < /proc/keys; unshare -U true || echo refused",
      ),
      "0\nrefused\n",
    );
    assertEquals(
      await output(host, "-u", "1000", busybox, "sh", "-c", "grep CapEff /proc/self/status"),
      "CapEff:\t0000000000000000\n",
    );
    assertEquals(
      await output(host, "--read-only", busybox, "sh", "-c", "touch /x 2>/dev/null || echo no"),
      "no\n",
    );
  });

  await t.step("limits, and --init", async () => {
    const v2 =
      (await host.sh("test -e /sys/fs/cgroup/cgroup.controllers", { check: false })).code === 0;
    const files = v2
      ? ["memory.max", "cpu.max", "pids.max"]
      : ["memory/memory.limit_in_bytes", "cpu/cpu.cfs_quota_us", "pids/pids.max"];
    const shown = await output(
      host,
      "-m",
      "64m",
      "--cpus",
      "0.5",
      "--pids-limit",
      "33",
      "--ulimit",
      "nofile=100:200",
      busybox,
      "sh",
      "-c",
      `cd /sys/fs/cgroup; cat ${files.join(" ")}; ulimit -Sn; ulimit -Hn`,
    );
    assertMatch(shown, /^67108864\n50000( 100000)?\n33\n100\n200\n$/);
    assertMatch(
      await output(host, "--init", busybox, "ps", "-o", "pid,args"),
      /1 \/run\/hpk-init -- ps/,
    );
    assertEquals((await run(host, ["--init", busybox, "sh", "-c", "exit 9"])).code, 9);
  });

  await t.step("a published port", async () => {
    const serve = "while :; do echo served | nc -l -p 80; done";
    const options = ["-d", "--rm", "--name", "port", "-p", "8080:80"];
    await ok(host, ["run", "--runtime", "crun", ...options, busybox, "sh", "-c", serve]);
    await eventually(async () => {
      const { stdout } = await host.sh("busybox nc -w 2 10.96.0.1 8080 < /dev/null", {
        check: false,
      });
      return stdout === "served\n";
    }, { what: "the port", ...BUSY });
    await ok(host, ["container", "rm", "-f", "port"]);
  });

  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "run: a limit that the host cannot set is reported, and the container runs",
  needs: crunNeeds,
}, async () => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  // As in a container of another runtime: control groups that can only be read.
  const { stdout, stderr } = await host.sh(`
unshare -m sh -ec '
for m in $(grep -E " cgroup2? " /proc/self/mountinfo | cut -d" " -f5); do
  if [ -e $m/cgroup.procs ]; then mount -n -o remount,bind,ro $m; fi
done
exec "$0" run --runtime crun --network none -m 64m --cpus 1 "$1" echo ran' '${HPKTAINER}' ${busybox}`);
  assertEquals(stdout, "ran\n");
  assertMatch(
    stderr,
    /^hpktainer: -m is not set: [^\n]+\nhpktainer: --cpus is not set: [^\n]+\nhpktainer: devices cannot be restricted [^\n]+\n$/,
  );
  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "run: control groups of either version work, each alone or both at once",
  needs: crunNeeds,
}, async (t) => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  const trees: [name: string, setUp: string, shown: RegExp][] = [
    ["the host's", ":", /^/],
    // The controllers belong to the machine's v1 hierarchies: this one does not have them.
    ["v2", "mount -n -t cgroup2 none /sys/fs/cgroup", /^0::\/$/m],
    ["v1", "umount -n /sys/fs/cgroup/unified 2>/dev/null || :", /^\d+:memory:\/$/m],
  ];
  for (const [name, setUp, shown] of trees) {
    await t.step(name, async () => {
      const { stdout } = await host.sh(
        `
unshare -m sh -ec '
${setUp}
"$0" run --runtime crun --network none "$1" cat /proc/self/cgroup
id=$("$0" run --runtime crun --network none -d --name idle "$1" sleep 1000)
"$0" container exec idle echo hi
"$0" container stop -t 0 idle
"$0" container rm idle
find /sys/fs/cgroup -ignore_readdir_race -name "hpktainer-$id"' '${HPKTAINER}' ${busybox}`,
        BUSY,
      );
      assertMatch(stdout, shown);
      assertMatch(stdout, /\nhi\nidle\nidle\n$/);
    });
  }
  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "run: a Debian image works as for its own root",
  needs: [...crunNeeds, debianMachine],
}, async () => {
  await using host = await crunHost();
  const { debian } = await ociImages();
  assert(debian !== undefined);
  const shown = await output(
    host,
    debian,
    "bash",
    "-c",
    "touch /etc/new && chown 1:1 /etc/new && stat -c %u /etc/new && dpkg --version | head -1",
  );
  assertMatch(shown, /^1\nDebian 'dpkg'/);
});
