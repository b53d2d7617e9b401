/**
 * A container in the foreground behaves as under Apptainer: same exit status, streams and signals.
 *
 *     test ── stdin, stdout, stderr, signals ── hpktainer = apptainer (same process) ── command in a container
 *                                               monitor (holds nothing of the caller's)
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  apptainerEnv,
  eventually,
  eventuallySame,
  findProgram,
  images,
  PrivateHost,
  type RunResult,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { hpk, HPKTAINER, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";

const EXEC = ["exec", "--subnet", SUBNET] as const;

/** Runs a bash script in which `RUN` stands for `exec IMAGE`, by Apptainer and by us. */
async function runBoth(host: PrivateHost, script: string): Promise<[RunResult, RunResult]> {
  const { base } = await images();
  const run = (command: string, env: Record<string, string>) =>
    host.run("bash", ["-c", script.replaceAll("RUN", `${command} ${base}`)], { env, check: false });
  return [
    await run("apptainer exec", apptainerEnv()),
    await run(`'${HPKTAINER}' ${EXEC.join(" ")}`, {}),
  ];
}

/** Command lines in the container, and their exit status; 255 is Apptainer's own error. */
const STATUSES: readonly [number, readonly string[]][] = [
  [0, ["true"]],
  [1, ["false"]],
  [7, ["sh", "-c", "exit 7"]],
  [125, ["sh", "-c", "exit 125"]],
  [126, ["sh", "-c", "/etc/passwd 2>/dev/null"]],
  [127, ["sh", "-c", "nosuch 2>/dev/null"]],
  [255, ["sh", "-c", "exit 255"]],
  [128 + 1, ["sh", "-c", "kill -HUP $$"]],
  [128 + 6, ["sh", "-c", "kill -ABRT $$"]],
  [128 + 9, ["sh", "-c", "kill -KILL $$"]],
  [128 + 11, ["sh", "-c", "kill -SEGV $$"]],
  [128 + 13, ["sh", "-c", "kill -PIPE $$"]],
  [128 + 15, ["sh", "-c", "kill -TERM $$"]],
];

testIf({
  name: "exec returns the container's exit status, 128+N for signal N, and prints nothing itself",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  for (const [status, command] of STATUSES) {
    const { code, stdout, stderr } = await hpk(host, [...EXEC, base, ...command]);
    assertEquals([code, stdout, stderr], [status, "", ""], command.join(" "));
  }
});

testIf({
  name: "a command that cannot be started ends as with Apptainer: 255 and its message",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  for (const command of ["RUN nosuch", "RUN /etc/passwd", "RUN /etc"]) {
    const [bare, ours] = await runBoth(host, command);
    assertEquals(bare.code, 255, command);
    assertEquals([ours.code, ours.stdout, ours.stderr], [255, bare.stdout, bare.stderr], command);
  }
});

testIf({
  name: "defect 1: a failing command leaves nothing: no lease, link, namespace, rule or file",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  for (const command of [["false"], ["sh", "-c", "kill -KILL $$"], ["nosuch"]]) {
    assertNotEquals((await hpk(host, [...EXEC, base, ...command])).code, 0);
    await eventuallySame(host, before, PATIENT);
  }
});

testIf({
  name: "a start tolerates a bridge that disappears while it inspects the host",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  // As ip(8) prints a route whose link disappears meanwhile: by number instead of name.
  await host.sh(`mkdir /run/sbin; cat >/run/sbin/ip <<'END'
#!/bin/sh
case "$*" in
  *"route show"*) echo '[{"dst":"${SUBNET}","dev":"if10","flags":["linkdown"]}]' ;;
  *) exec ${findProgram("ip")} "$@" ;;
esac
END
chmod +x /run/sbin/ip`);
  const env = { PATH: `/run/sbin:${Deno.env.get("PATH")}` };
  const { code, stderr } = await hpk(host, [...EXEC, base, "true"], { env });
  assertEquals([code, stderr], [0, ""]);
});

testIf({
  name: "defect 7: standard streams are the container's own, byte for byte",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const binary = "dd if=/dev/urandom bs=1000 count=3000 2>/dev/null | tee /run/in >/dev/null";
  await host.sh(binary);
  const script = `'${HPKTAINER}' ${EXEC.join(" ")} ${base} sh -c 'tee /dev/stderr' ` +
    "</run/in >/run/out 2>/run/err; cmp /run/in /run/out; cmp /run/in /run/err";
  await host.sh(script);
  const { stdout, stderr } = await hpk(host, [
    ...EXEC,
    base,
    "sh",
    "-c",
    "cat; echo problem >&2",
  ], { stdin: "one\ntwo" });
  assertEquals([stdout, stderr], ["one\ntwo", "problem\n"]);
});

/** A bash script that prints what a program inherits from the process that starts it. */
const INHERITED: Readonly<Record<string, string>> = {
  "dispositions and masks of signals": "RUN grep '^Sig[BIC]' /proc/self/status",
  "ignored signals": "trap '' HUP USR1; RUN grep '^Sig[BIC]' /proc/self/status",
  "an end by SIGPIPE": "RUN yes | head -n 1; echo ${PIPESTATUS[0]}",
  "resource limits": "ulimit -Sn 512; ulimit -Hn 4000; ulimit -c 0; RUN cat /proc/self/limits",
  "inherited descriptors":
    "echo in >/run/5; RUN sh -c 'cat <&5; echo out >&6' 5</run/5 6>/run/6; " +
    "cat /run/6",
  "no descriptors of ours": "RUN sh -c 'ls /proc/$$/fd'",
  "a closed standard input": "RUN sh -c 'read x; echo $?' <&-",
  "the directory and file mode mask": "umask 027; cd /tmp; RUN sh -c 'umask; pwd'",
  "the priority": "renice -n 7 $$ >/dev/null; RUN sh -c 'cut -d\" \" -f19 /proc/$$/stat'",
  "the out-of-memory score": "echo 300 >/proc/$$/oom_score_adj; RUN cat /proc/self/oom_score_adj",
  "capabilities": "RUN grep -E '^(Cap|NoNewPrivs|Seccomp)' /proc/self/status",
};

testIf({ name: "the container inherits what it does from Apptainer", needs }, async () => {
  await using host = await PrivateHost.create();
  for (const [what, script] of Object.entries(INHERITED)) {
    const [bare, ours] = await runBoth(host, script);
    assertNotEquals(bare.stdout, "", what);
    assertEquals(
      [ours.code, ours.stdout, ours.stderr],
      [bare.code, bare.stdout, bare.stderr],
      what,
    );
  }
});

testIf({
  name: "the container's environment is Apptainer's, and HPK_IP and HPK_GATEWAY_IP",
  needs,
}, async () => {
  await using host = await PrivateHost.create();
  const script = "export ODD=$'a b\\n$(c) \"d\" \\\\e' APPTAINERENV_SET=1; RUN env -0";
  const [bare, ours] = await runBoth(host, script);
  // bash sets `_` to the path of what it starts.
  const variables = ({ stdout }: RunResult) =>
    stdout.split("\0").filter((line) => !/^(_|(APPTAINER|SINGULARITY)_BIND)=/.test(line));
  const known = variables(bare);
  assert(known.includes('ODD=a b\n$(c) "d" \\e') && known.includes("SET=1"), known.join("\n"));
  const found = variables(ours);
  assertEquals(known.filter((line) => !found.includes(line)), []);
  assertEquals(found.filter((line) => !known.includes(line)).sort(), [
    "HPK_GATEWAY_IP=10.96.0.1",
    `HPK_IP=10.96.0.${/HPK_IP=10\.96\.0\.(\d+)/.exec(ours.stdout)?.[1]}/24`,
  ]);
});

const SIGNALS = ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH"] as const;

testIf({
  name:
    "defect 6: each signal reaches the command exactly once, and the network stays until it ends",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  await host.sh("mkdir /run/flag");
  const traps = SIGNALS.map((name) => `trap '${name}=$(($${name}+1)); echo ${name}' ${name}`);
  const counts = SIGNALS.map((name) => `${name}:$${name}`).join(" ");
  const script = [
    ...SIGNALS.map((name) => `${name}=0`),
    ...traps,
    "echo up",
    "while [ ! -e /mnt/stop ]; do sleep 0.02; done",
    `echo ${counts}`,
    "ping -c 1 -W 2 $HPK_GATEWAY_IP >/dev/null && echo reached",
    "exit 42",
  ].join("\n");
  await using process = await host.spawn(HPKTAINER, [
    ...EXEC,
    "--bind",
    "/run/flag:/mnt",
    base,
    "sh",
    "-c",
    script,
  ]);
  await process.waitFor(/^up$/m, PATIENT);
  for (const name of SIGNALS) {
    process.signal(`SIG${name}`);
    await process.waitFor(new RegExp(`^${name}$`, "m"), PATIENT);
  }
  await host.sh("touch /run/flag/stop");
  const { code, stdout } = await process.wait(PATIENT);
  const once = SIGNALS.map((name) => `${name}:1`).join(" ");
  assertEquals(stdout, ["up", ...SIGNALS, once, "reached", ""].join("\n"));
  assertEquals(code, 42);
  await host.sh("rm -r /run/flag");
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "defect 6: a signal that ends the command gives 128+N, not 0",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  for (const [signal, number] of [["SIGTERM", 15], ["SIGINT", 2], ["SIGHUP", 1]] as const) {
    const args = [...EXEC, base, "sh", "-c", "echo up; exec sleep 60"];
    await using process = await host.spawn(HPKTAINER, args);
    await process.waitFor(/up/, PATIENT);
    process.signal(signal);
    assertEquals((await process.wait(PATIENT)).code, 128 + number, signal);
  }
});

testIf({
  name: "a signal in the middle of a start ends it, with 128+N, and leaves nothing",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  for (const [signal, status] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
    await using process = await host.spawn(HPKTAINER, [...EXEC, base, "sleep", "60"]);
    await eventually(() => [...Deno.readDirSync(`${host.root}/run/hpktainer/containers`)].length, {
      what: "a record in the ledger",
      intervalMs: 1,
      ...PATIENT,
    });
    process.signal(signal);
    assertEquals((await process.wait(PATIENT)).code, status, signal);
    await eventuallySame(host, before, PATIENT);
  }
});

testIf({
  name: "defect 7: SIGKILL of hpktainer ends the container, and everything is released",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  const args = [...EXEC, base, "sh", "-c", "echo up; exec sleep 60"];
  await using process = await host.spawn(HPKTAINER, args);
  await process.waitFor(/up/, PATIENT);
  process.signal("SIGKILL");
  assertEquals((await process.wait(PATIENT)).code, 137);
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "$(hpktainer exec …) ends with its command, though the monitor that it started lives on",
  needs,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  await host.sh("mkdir /run/flag; : >/run/locked");
  const inside = "echo up >&2; while [ ! -e /mnt/stop ]; do sleep 0.02; done; echo result";
  const script = "exec 9>/run/locked; flock 9; " +
    `x=$('${HPKTAINER}' ${EXEC.join(" ")} --bind /run/flag:/mnt ${base} sh -c '${inside}'); ` +
    'echo "got $x"';
  {
    await using first = await host.spawn("bash", ["-c", script]);
    await first.waitFor(/^up$/m, PATIENT);
    assertEquals((await host.sh("flock -n /run/locked true", { check: false })).code, 1);
    const args = [...EXEC, base, "sh", "-c", "echo up; exec sleep 60"];
    await using second = await host.spawn(HPKTAINER, args);
    await second.waitFor(/^up$/m, PATIENT);
    await host.sh("touch /run/flag/stop");
    const { code, stdout, pipesHeld } = await first.wait(PATIENT);
    assertEquals([code, stdout, pipesHeld], [0, "got result\n", false]);
    const { processes } = await snapshot(host);
    assert(processes.some((line) => / monitor \d+$/.test(line)), processes.join("\n"));
    // The monitor does not hold the lock of the script that started it.
    await host.sh("flock -n /run/locked true");
    assert(second.running);
  }
  await host.sh("rm -r /run/flag /run/locked");
  await eventuallySame(host, before, PATIENT);
});
