/**
 * A command that does not start a container with our network reaches Apptainer unchanged, for
 * anybody:
 *
 *     any user ── hpktainer WORDS ── apptainer WORDS      (a stand-in that reports how it was called, and the real one)
 *                 no root, no Flannel, no ledger, no network
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  apptainerEnv,
  assertSame,
  eventuallySame,
  images,
  type Need,
  openPty,
  PrivateHost,
  program,
  type RunOptions,
  type RunResult,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { HPKTAINER, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";

const userNeeds = [...needs, program("setpriv")];

/** Prints its arguments, each ended by NUL, or runs $SCRIPT; then exits with $STATUS. */
const STAND_IN = `#!/bin/sh
if [ -n "$SCRIPT" ]; then eval "$SCRIPT"; exit; fi
for word; do printf '%s\\0' "$word"; done
exit "\${STATUS:-0}"`;

/**
 * A host with the binary where everybody can reach it, the stand-in, and an image file of no use.
 */
async function hostWithStandIn(): Promise<PrivateHost> {
  const host = await PrivateHost.create();
  await host.sh(
    `mkdir /run/bin /run/fake; : >/run/image.sif; : >/run/bin/hpktainer; cat >/run/fake/apptainer <<'END'
${STAND_IN}
END
chmod +x /run/fake/apptainer; mount -n --bind '${HPKTAINER}' /run/bin/hpktainer`,
  );
  return host;
}

const USER = ["--reuid", "12345", "--regid", "12345", "--clear-groups"] as const;
const SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs hpktainer with the stand-in, as an ordinary user that no password file knows, with an empty
 * environment.
 */
function asUser(
  host: PrivateHost,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return host.run("setpriv", [...USER, "/run/bin/hpktainer", ...args], {
    check: false,
    clearEnv: true,
    ...options,
    env: { PATH: `/run/fake:${SYSTEM_PATH}`, ...options.env },
  });
}

/** What the stand-in was called with. */
function words(stdout: string): string[] {
  return stdout.split("\0").slice(0, -1);
}

/** Command lines that are passed on to Apptainer, word by word. */
const APPTAINERS: readonly (readonly string[])[] = [
  ["pull", "docker://alpine"],
  ["pull", "--name", "a b.sif", "", "*", "$HOME", "new\nline", "é", "\\", "'\"", "--", "--version"],
  ["build", "--sandbox", "/tmp/x", "/run/image.sif"],
  ["inspect", "--json", "/run/image.sif"],
  ["cache", "list", "-v"],
  ["cache", "clean", "--force"],
  ["version"],
  ["help", "build"],
  ["help", "instance"],
  ["frobnicate", "-x", "--network", "bridge"],
  ["instance", "list"],
  ["instance", "list", "--json", "web"],
  ["instance", "stop", "--all"],
  ["instance", "stats", "web"],
  ["exec", "instance://web", "ls", "--network", "--", "-la"],
  ["shell", "instance://web"],
  ["sif", "list", "/run/image.sif"],
  ["-d", "pull", "x"],
  ["-q", "--nocolor", "inspect", "x"],
  ["--debug", "instance", "list"],
  ["-c", "/etc/other.conf", "cache", "list"],
  ["--config=/etc/other.conf", "--verbose", "pull", "--arch", "arm64", "x"],
  ["-ds", "push", "x"],
];

/** Standard error without our log, which -d asks for as well as for Apptainer's. */
function withoutLog(line: readonly string[], stderr: string): string {
  const isAsked = line.some((word) => /^(--debug|-[a-z]*d[a-z]*)$/.test(word));
  return isAsked ? stderr.replace(/^hpktainer: debug .*\n/gm, "") : stderr;
}

testIf({
  name: "defect 4: any other command reaches Apptainer word by word, without root or a network",
  needs: userNeeds,
}, async () => {
  await using host = await hostWithStandIn();
  const before = await snapshot(host);
  for (const line of APPTAINERS) {
    for (const status of ["0", "3"]) {
      const { code, stdout, stderr } = await asUser(host, line, { env: { STATUS: status } });
      assertEquals([words(stdout), code, withoutLog(line, stderr)], [line, Number(status), ""]);
    }
  }
  assertSame(before, await snapshot(host));
});

testIf({
  name: "Apptainer gets environment, signals, descriptors and limits as they are",
  needs: userNeeds,
}, async () => {
  await using host = await hostWithStandIn();
  for (
    const tell of [
      "env -0 | sort -z",
      // The classic signals, 1 to 32; glibc keeps the next for itself.
      "sed -n 's/^Sig\\(Blk\\|Ign\\):.*\\(.\\{8\\}\\)$/\\1 \\2/p' /proc/self/status",
      "ls /proc/self/fd; cat <&7",
      "ulimit -Sa; ulimit -Ha; umask; pwd",
    ]
  ) {
    const options = {
      env: {
        PATH: `/run/fake:${SYSTEM_PATH}`,
        SCRIPT: tell,
        HPK_NETWORK: "static",
        APPTAINER_BIND: "/a b",
        ODD: "x\ny=é",
      },
      clearEnv: true,
    };
    const call = (program: string) =>
      host.sh(
        `cd /tmp; ulimit -Sn 300; umask 027; ` +
          `exec setpriv ${USER.join(" ")} ${program} pull x 7</run/fake/apptainer`,
        options,
      );
    const bare = await call("/run/fake/apptainer");
    const ours = await call("/run/bin/hpktainer");
    assertEquals([ours.stdout, ours.stderr], [bare.stdout, bare.stderr], tell);
  }
});

testIf({
  name: "without arguments, and with --help, hpktainer prints its own usage, for any user",
  needs: userNeeds,
}, async () => {
  await using host = await hostWithStandIn();
  for (const line of [[], ["--help"], ["-h"], ["help"], ["exec", "--help"], ["help", "run"]]) {
    const { code, stdout, stderr } = await asUser(host, line);
    assertEquals([code, stderr], [0, ""], line.join(" "));
    assertMatch(stdout, /^Usage: hpktainer /m, line.join(" "));
    assertMatch(stdout, /--subnet CIDR/, line.join(" "));
  }
});

testIf({
  name: "--version prints ours, then Apptainer's",
  needs: userNeeds,
}, async () => {
  await using host = await hostWithStandIn();
  const { code, stdout } = await asUser(host, ["--version"]);
  assertEquals(code, 0);
  assertMatch(stdout, /^hpktainer version \d+\.\d+\.\d+\n--version\0$/);
});

/** Network options without a network to set up, and what the error line names. */
const REFUSED: readonly (readonly [readonly string[], RegExp])[] = [
  [["--subnet", SUBNET, "pull", "x"], /--subnet.*does not start a container/],
  [["--network", "host", "version"], /--network.*does not start a container/],
  [["--ip=10.96.0.2", "instance", "list"], /--ip.*does not start a container/],
  [["--name", "x", "instance", "stop", "y"], /--name.*does not start a container/],
  [["--dns", "192.0.2.1", "ps"], /--dns.*does not start a container/],
  [["exec", "--subnet", SUBNET, "instance://web", "true"], /already has its network/],
  [["--ip", "10.96.0.2", "shell", "instance://web"], /already has its network/],
  [["exec", "--network", "host", "--ip", "10.96.0.2", "/run/image.sif", "true"], /--ip/],
  [["exec", "--network", "host", "--net", "/run/image.sif", "true"], /--net/],
  [["exec", "--network", "bridge", "/run/image.sif", "true"], /--network.*'bridge'/],
  [["exec", "--network-args", "IP=1", "/run/image.sif", "true"], /--network-args/],
  [["exec", "--netns-path", "/run/netns/x", "/run/image.sif", "true"], /--netns-path/],
  [["exec", "--subnet", SUBNET, "/run/image.sif", "true"], /takes root, and you are uid 12345/],
];

testIf({
  name: "network options are refused where they could have no effect",
  needs: userNeeds,
}, async () => {
  await using host = await hostWithStandIn();
  const before = await snapshot(host);
  for (const [line, says] of REFUSED) {
    const { code, stdout, stderr } = await asUser(host, line);
    assertEquals([code, stdout], [125, ""], line.join(" "));
    assertMatch(stderr, /^hpktainer: [^\n]+; [^\n]+\n$/, line.join(" "));
    assertMatch(stderr, says);
  }
  assertSame(before, await snapshot(host));
});

testIf({
  name: "--network host and none do not set up a network, and do not need root",
  needs: userNeeds,
}, async () => {
  await using host = await hostWithStandIn();
  const before = await snapshot(host);
  const rest = ["-B", "/tmp", "/run/image.sif", "sh", "--network", "x", "--name", "y"];
  const none = ["--net", "--network", "none"];
  for (
    const [line, expected] of [
      [["exec", "--network", "host", ...rest], ["exec", ...rest]],
      [["-d", "--network=host", "exec", ...rest], ["-d", "exec", ...rest]],
      [["exec", "--network", "none", ...rest], ["exec", ...none, ...rest]],
      [["--network", "none", "instance", "start", "/run/image.sif", "web"], [
        "instance",
        "start",
        ...none,
        "/run/image.sif",
        "web",
      ]],
    ] as const
  ) {
    const { stdout, code, stderr } = await asUser(host, line);
    assertEquals([words(stdout), code, withoutLog(line, stderr)], [expected, 0, ""]);
  }
  assertSame(before, await snapshot(host));
});

testIf({
  name: "defect 5: a user's --net has no effect, ours do not reach Apptainer, other words are kept",
  needs,
}, async () => {
  await using host = await hostWithStandIn();
  const before = await snapshot(host);
  const program = ["sh", "-c", "x", "--net", "--network", "bridge", "--subnet", "y"];
  const own = ["--net", "--subnet", SUBNET, "--dns", "192.0.2.1", "--mtu=1400", "--name", "web"];
  for (
    const line of [
      ["-d", "exec", ...own, "--env", "A=b c", "-B", "/tmp", "/run/image.sif", ...program],
      ["-d", ...own.slice(1), "exec", "-n", "--env", "A=b c", "-B", "/tmp", "/run/image.sif"]
        .concat(program),
    ]
  ) {
    const { stdout } = await host.run(HPKTAINER, line, {
      env: { PATH: `/run/fake:${SYSTEM_PATH}` },
    });
    const seen = words(stdout).map((word) =>
      word.replaceAll(/hpk-?[0-9a-f]{8,}|[0-9a-f]{12}/g, "ID")
    );
    assertEquals(seen, [
      ...["-d", "exec", "--env", "A=b c", "-B", "/tmp"],
      ...["--netns-path", "/run/netns/ID"],
      ...["--bind", "/run/hpktainer/files/ID/resolv.conf:/etc/resolv.conf"],
      ...["--bind", "/run/hpktainer/files/ID/hosts:/etc/hosts"],
      ...["--hostname", "web", "/run/image.sif"],
      ...program,
    ]);
    await eventuallySame(host, before, PATIENT);
  }
});

testIf({ name: "real commands do what Apptainer's do", needs }, async () => {
  const { base, rootfs } = await images();
  await using host = await PrivateHost.create();
  for (const line of [["inspect", base], ["sif", "list", base], ["version"], ["help", "build"]]) {
    const bare = await host.run("apptainer", line, { env: apptainerEnv() });
    const { code, stdout, stderr } = await host.run(HPKTAINER, line);
    assertEquals([code, stdout, stderr], [0, bare.stdout, bare.stderr], line.join(" "));
  }
  await host.run(HPKTAINER, ["build", "/run/made.sif", rootfs], { env: apptainerEnv() });
  const { stdout } = await host.run(HPKTAINER, [
    ...["exec", "--subnet", SUBNET, "/run/made.sif", "sh", "-c", "echo $HPK_IP"],
  ]);
  assertEquals(stdout, "10.96.0.2/24\n");
});

/** Runs a command line as an ordinary user from /etc/passwd, which Apptainer requires. */
function asNobody(host: PrivateHost, line: readonly string[]): Promise<RunResult> {
  return host.run("setpriv", [
    ...["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "env", "HOME=/tmp"],
    ...line,
  ], { check: false });
}

/** An ordinary user who can start a container by a user namespace. */
async function userContainers(): Promise<Need> {
  const what = "Apptainer cannot start a container for an ordinary user here";
  if (userNeeds.some(({ ok }) => !ok)) return { ok: false, what };
  const { sandbox } = await images();
  await using host = await PrivateHost.create();
  const line = ["apptainer", "exec", "--userns", "--net", "--network", "none", sandbox, "true"];
  const { code, stderr } = await asNobody(host, line);
  return { ok: code === 0, what: `${what}: ${stderr.trim()}` };
}

testIf({
  name: "an ordinary user gets a container on the host's network, or on none",
  needs: [...userNeeds, await userContainers()],
}, async () => {
  const { sandbox } = await images();
  await using host = await hostWithStandIn();
  await host.sh("ip link add v0 type veth peer name v1");
  const links = async (network: string) => {
    const line = ["exec", "--userns", "--network", network, sandbox, "ls", "/sys/class/net"];
    const { code, stdout, stderr } = await asNobody(host, ["/run/bin/hpktainer", ...line]);
    assertEquals([code, stderr], [0, ""], network);
    return stdout.trim().split(/\s+/);
  };
  assertEquals(await links("host"), ["lo", "v0", "v1"]);
  const line = ["exec", "--userns", "--network", "none", sandbox, "ip", "-o", "link"];
  const { stdout } = await asNobody(host, ["/run/bin/hpktainer", ...line]);
  assertEquals(stdout.trim().split("\n").map((link) => link.split(":")[1]?.trim()), ["lo"]);
  assert(!(await host.sh("ls /run")).stdout.includes("hpktainer\n"));
});

/** What is typed, and how the line looks after a tab. */
const TYPED: readonly (readonly [string, RegExp])[] = [
  ["hpktainer do", /hpktainer doctor /],
  ["hpktainer completions ba", /hpktainer completions bash /],
  ["hpktainer --upl", /hpktainer --uplink /],
  // A bell between: Apptainer's --network-args begins so too.
  ["hpktainer exec --netw", /hpktainer exec --netw\W?ork/],
  ["hpktainer exec --network fl", /hpktainer exec --network flannel /],
  ["hpktainer exec --upl", /hpktainer exec --uplink /],
  ["hpktainer --subnet 10.96.0.0/24 exec --upl", /24 exec --uplink /],
  ["hpktainer instance start --datap", /hpktainer instance start --datapath /],
  ["hpktainer gc --dr", /hpktainer gc --dry-run /],
  ["hpktainer versi", /hpktainer version /],
  ["hpktainer inst", /hpktainer instance /],
  ["hpktainer exec --writable-t", /hpktainer exec --writable-tmpfs /],
];

testIf({
  name: "bash completes our commands and options, and Apptainer's",
  needs: [...needs, program("script")],
}, async () => {
  await using host = await hostWithStandIn();
  const env = { PS1: "PROMPT ", PATH: `/run/bin:${SYSTEM_PATH}` };
  await using bash = await openPty(host, "bash", ["--norc", "-i"], { env, columns: 200 });
  await bash.readUntil(/PROMPT /, PATIENT);
  await bash.write("source <(hpktainer completions bash)\r");
  await bash.readUntil(/\r\n[^]*PROMPT /, PATIENT);
  for (const [typed, line] of TYPED) {
    await bash.write(`${typed}\t`);
    await bash.readUntil(line, PATIENT);
    await bash.write("\x15");
  }
});
