/**
 * On a terminal a container behaves like any program:
 *
 *     user ── pty ──┬── bash, interactive ── hpktainer exec IMAGE command   (job control)
 *                   └── hpktainer shell IMAGE
 */
import { assertEquals } from "@std/assert";
import {
  eventually,
  eventuallySame,
  images,
  openPty,
  PrivateHost,
  program,
  type Pty,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { HPKTAINER, needs, PATIENT, SUBNET } from "../harness/hpktainer.ts";

const terminalNeeds = [...needs, program("script")];

/** An interactive shell on a terminal, at its prompt. */
async function openBash(host: PrivateHost): Promise<Pty> {
  const bash = await openPty(host, "bash", ["--norc", "-i"], { env: { PS1: "PROMPT " } });
  await bash.readUntil(/PROMPT /, PATIENT);
  return bash;
}

/** Types `command` and waits until `shown` appears after the line that echoes it. */
async function type(terminal: Pty, command: string, shown: RegExp): Promise<void> {
  await terminal.write(`${command}\r`);
  await terminal.readUntil(/\r\n/, PATIENT);
  await terminal.readUntil(shown, PATIENT);
}

/** The exit status of the last command of an interactive shell that is at its prompt. */
async function lastStatus(bash: Pty): Promise<number> {
  // In two parts, so that the echo of the command does not match.
  await bash.write("echo sta''tus=$?.\r");
  const found = /status=(\d+)\./.exec(await bash.readUntil(/status=\d+\./, PATIENT));
  await bash.readUntil(/PROMPT /, PATIENT);
  return Number(found?.[1]);
}

async function execLine(command: string): Promise<string> {
  const { base } = await images();
  return `'${HPKTAINER}' exec --subnet ${SUBNET} --bind /run/flag:/mnt ${base} ${command}`;
}

testIf({
  name: "Ctrl-C reaches the program once, its network stays, and hpktainer ends with its status",
  needs: terminalNeeds,
}, async () => {
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  await host.sh("mkdir /run/flag");
  await using bash = await openBash(host);
  const script = 'n=0; trap "n=\\$((n+1)); echo caught" INT; echo u""p; ' +
    "while [ ! -e /mnt/stop ]; do sleep 0.02; done; " +
    "ping -c 1 -W 2 $HPK_GATEWAY_IP >/dev/null && exit $((40+n))";
  await type(bash, await execLine(`sh -c '${script}'`), /up\r\n/);
  await bash.write("\x03");
  await bash.readUntil(/caught\r\n/, PATIENT);
  await host.sh("touch /run/flag/stop");
  await bash.readUntil(/PROMPT /, PATIENT);
  assertEquals(await lastStatus(bash), 41);
  await bash.write("exit\r");
  assertEquals(await bash.waitExit(PATIENT), 0);
  await host.sh("rm -r /run/flag");
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "defect 6: Ctrl-C ends a program that does not handle it, with 130, and its network goes",
  needs: terminalNeeds,
}, async () => {
  await using host = await PrivateHost.create();
  await host.sh("mkdir /run/flag");
  await using bash = await openBash(host);
  const before = await snapshot(host);
  await type(bash, await execLine("sh -c 'echo u\"\"p; exec sleep 60'"), /up\r\n/);
  await bash.write("\x03");
  await bash.readUntil(/PROMPT /, PATIENT);
  assertEquals(await lastStatus(bash), 130);
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "Ctrl-Z stops the job, its network stays, and fg continues it",
  needs: terminalNeeds,
}, async () => {
  await using host = await PrivateHost.create();
  await host.sh("mkdir /run/flag");
  await using bash = await openBash(host);
  const script = 'echo u""p; read word; ping -c 1 -W 2 $HPK_GATEWAY_IP >/dev/null && ' +
    'echo "read $word"; exit 4';
  await type(bash, await execLine(`sh -c '${script}'`), /up\r\n/);
  await bash.write("\x1a");
  await bash.readUntil(/Stopped/, PATIENT);
  await bash.readUntil(/PROMPT /, PATIENT);
  // 128 and SIGSTOP: Apptainer stops itself by it.
  assertEquals(await lastStatus(bash), 128 + 19);
  await host.run(HPKTAINER, ["gc"]);
  const { stdout } = await host.run(HPKTAINER, ["ps", "--json"]);
  assertEquals(JSON.parse(stdout).containers.map(({ state }: { state: string }) => state), [
    "running",
  ]);
  await type(bash, "fg", /exit 4'\r\n/);
  await bash.write("hello\n");
  await bash.readUntil(/read hello\r\n/, PATIENT);
  await bash.readUntil(/PROMPT /, PATIENT);
  assertEquals(await lastStatus(bash), 4);
});

testIf({
  name: "shell is interactive, on the terminal, with the window's size, and returns its status",
  needs: terminalNeeds,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const before = await snapshot(host);
  const options = { rows: 33, columns: 101 };
  await using shell = await openPty(host, HPKTAINER, ["shell", "--subnet", SUBNET, base], options);
  await shell.readUntil(/Apptainer> /, PATIENT);
  await type(shell, "stty size", /^33 101\r\n/m);
  await shell.resize(20, 70);
  await type(shell, "stty size", /^20 70\r\n/m);
  await type(shell, "test -t 0 && test -t 1 && test -t 2 && echo all $((2 * 3))", /^all 6\r\n/m);
  await type(shell, "tty", new RegExp(`^${shell.device}\r\n`, "m"));
  await type(shell, "echo $HPK_IP", /^10\.96\.0\.2\/24\r\n/m);
  await shell.write("exit 3\r");
  assertEquals(await shell.waitExit(PATIENT), 3);
  await eventuallySame(host, before, PATIENT);
});

testIf({
  name: "a program learns of a new window size by SIGWINCH",
  needs: terminalNeeds,
}, async () => {
  const { base } = await images();
  await using host = await PrivateHost.create();
  const script = "trap 'echo resized' WINCH; echo up; while :; do sleep 0.02; done";
  const args = ["exec", "--subnet", SUBNET, base, "sh", "-c", script];
  await using terminal = await openPty(host, HPKTAINER, args);
  await terminal.readUntil(/up\r\n/, PATIENT);
  await terminal.resize(30, 90);
  await terminal.readUntil(/resized\r\n/, PATIENT);
});

/**
 * Ways in which a command on a terminal ends: what it does, and what ends it from outside.
 *
 * A signal goes to the whole job, as from a terminal or a shell. Apptainer on a terminal relies on
 * that: in the foreground it does not forward a signal to its own process alone, lest the command
 * get it twice.
 */
const ENDS: readonly { what: string; command: string; signal?: string; status: number }[] = [
  { what: "its own end", command: "sh -c 'echo u\"\"p; exit 5'", status: 5 },
  {
    what: "SIGTERM",
    command: "sh -c 'echo u\"\"p; exec sleep 60'",
    signal: "TERM",
    status: 143,
  },
  {
    what: "SIGKILL",
    command: "sh -c 'echo u\"\"p; exec sleep 60'",
    signal: "KILL",
    status: 137,
  },
  {
    what: "SIGTERM in raw mode",
    command: "sh -c 'stty raw -echo; echo u\"\"p; exec sleep 60'",
    signal: "TERM",
    status: 143,
  },
];

for (const { what, command, signal, status } of ENDS) {
  testIf({ name: `the terminal is as it was after ${what}`, needs: terminalNeeds }, async () => {
    await using host = await PrivateHost.create();
    await host.sh("mkdir /run/flag");
    await using bash = await openBash(host);
    const settings = async () => (await host.run("stty", ["-F", bash.device, "-g"])).stdout;
    const atPrompt = await settings();
    await type(bash, await execLine(command), /up\r?\n/);
    if (signal !== undefined) {
      const { stdout } = await host.run(HPKTAINER, ["ps", "--json"]);
      await host.run("kill", [`-${signal}`, "--", `-${JSON.parse(stdout).containers[0].pid}`]);
    }
    await bash.readUntil(/PROMPT /, PATIENT);
    await eventually(async () => await settings() === atPrompt, {
      what: "the settings of before",
      ...PATIENT,
    });
    assertEquals(await lastStatus(bash), status);
  });
}
