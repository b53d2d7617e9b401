/**
 * A container's terminal is a real one, and ours is restored afterwards:
 *
 *     user ── pty ── bash ── hpktainer run -it ── conmon ── pty ── the container's command
 */
import { assertEquals, assertMatch } from "@std/assert";
import {
  eventually,
  eventuallySame,
  ociImages,
  openPty,
  type PrivateHost,
  program,
  type Pty,
  snapshot,
  testIf,
} from "../harness/mod.ts";
import { HPKTAINER } from "../harness/hpktainer.ts";
import { BUSY, container, crunHost, crunNeeds, ok, run } from "../harness/crun.ts";

const terminalNeeds = [...crunNeeds, program("script")];

/** An interactive shell on a terminal, at its prompt. */
async function openBash(host: PrivateHost): Promise<Pty> {
  const bash = await openPty(host, "bash", ["--norc", "-i"], {
    env: { PS1: "PROMPT ", HPK: HPKTAINER, HPK_RUNTIME: "crun" },
    rows: 33,
    columns: 101,
  });
  await bash.readUntil(/PROMPT /, BUSY);
  return bash;
}

/** Types a line; the shell that reads it echoes it. */
async function type(bash: Pty, line: string): Promise<void> {
  await bash.write(`${line}\r`);
  await bash.readUntil(/\r\n/, BUSY);
}

/** The exit status of the last command, and the settings of the terminal, at the prompt. */
async function atPrompt(bash: Pty): Promise<{ status: number; settings: string }> {
  await bash.readUntil(/PROMPT /, BUSY);
  // In two parts, so that the echo of the command does not match.
  await bash.write("echo sta''tus=$? $(stty -g).\r");
  const found = /status=(\d+) ([0-9a-f:]+)\./.exec(
    await bash.readUntil(/status=\d+ [^.]+\./, BUSY),
  );
  await bash.readUntil(/PROMPT /, BUSY);
  return { status: Number(found?.[1]), settings: found?.[2] ?? "" };
}

testIf({
  name: "run -it gives a terminal of the user's size that follows it, and the exact exit status",
  needs: terminalNeeds,
}, async (t) => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  await using bash = await openBash(host);
  await bash.write("\r");
  const { settings } = await atPrompt(bash);

  await t.step("size, resize, Ctrl-C, Ctrl-D, status", async () => {
    await type(bash, `$HPK run -it ${busybox} sh`);
    await bash.readUntil(/# /, BUSY);
    await type(bash, "tty; stty size; echo TERM=$TERM");
    assertMatch(await bash.readUntil(/TERM=xterm\r\n/, BUSY), /\/dev\/pts\/0\r\n33 101\r\n/);
    await bash.readUntil(/# /, BUSY);
    await bash.resize(44, 122);
    await eventually(async () => {
      await type(bash, "stty size");
      const shown = await bash.readUntil(/\d+ \d+\r\n/, BUSY);
      await bash.readUntil(/# /, BUSY);
      return shown.includes("44 122");
    }, { what: "the new size", ...BUSY });
    await type(bash, "echo begun; sleep 1000");
    await bash.readUntil(/begun\r\n/, BUSY);
    // Between its fork and its exec, a program is still the shell, which ignores Ctrl-C.
    await eventually(async () => (await host.sh("pgrep -x sleep", { check: false })).code === 0, {
      what: "sleep",
      ...BUSY,
    });
    await bash.write("\x03");
    await bash.readUntil(/# /, BUSY);
    await type(bash, "(exit 42)");
    await bash.readUntil(/# /, BUSY);
    await bash.write("\x04");
    assertEquals(await atPrompt(bash), { status: 42, settings });
  });

  await t.step("the last byte of much output", async () => {
    await type(bash, `$HPK run -t ${busybox} sh -c 'seq 1 20000; printf LA"ST"; exit 7'`);
    const shown = await bash.readUntil(/LAST/, BUSY);
    assertEquals(shown.match(/^\d+\r+$/gm)?.length, 20000);
    assertEquals(await atPrompt(bash), { status: 7, settings });
  });

  await t.step("death by a signal to hpktainer, which it forwards", async () => {
    await type(
      bash,
      `$HPK run -it --name sig ${busybox} sh -c 'trap "exit 9" TERM; echo u""p; read x'`,
    );
    await bash.readUntil(/up\r\n/, BUSY);
    await host.sh("kill -TERM $(pgrep -f 'run -it --name sig' | head -1)");
    assertEquals(await atPrompt(bash), { status: 9, settings });
  });

  await t.step("a command that does not exist", async () => {
    await type(bash, `$HPK run -it ${busybox} nosuch`);
    assertEquals(await atPrompt(bash), { status: 127, settings });
  });

  await t.step("a keypress after the end is the shell's", async () => {
    await type(bash, `$HPK run -it ${busybox} true`);
    await bash.readUntil(/PROMPT /, BUSY);
    await type(bash, "echo ty''ped");
    await bash.readUntil(/typed\r\n/, BUSY);
    await bash.readUntil(/PROMPT /, BUSY);
  });

  await bash.write("exit\r");
  await bash.waitExit(BUSY);
  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "the detach keys leave a container running, and attach returns to it",
  needs: terminalNeeds,
}, async () => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  await using bash = await openBash(host);
  await bash.write("\r");
  const { settings } = await atPrompt(bash);
  await type(bash, `$HPK run -it --name kept ${busybox} sh`);
  await bash.readUntil(/# /, BUSY);
  await type(bash, "mark=here");
  await bash.readUntil(/# /, BUSY);
  await bash.write("\x10\x11");
  assertEquals(await atPrompt(bash), { status: 0, settings });
  assertMatch(await ok(host, ["container", "ls"]), /Up .* kept/);
  await type(bash, "$HPK container attach --detach-keys ctrl-x kept");
  await bash.write("echo mark=$mark\r");
  await bash.readUntil(/mark=here\r\n/, BUSY);
  await bash.write("\x18");
  assertEquals(await atPrompt(bash), { status: 0, settings });
  await type(bash, "$HPK container attach kept");
  await bash.write("exit 5\r");
  assertEquals(await atPrompt(bash), { status: 5, settings });
  await bash.write("exit\r");
  await bash.waitExit(BUSY);
  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "container exec -it gives a terminal, and leaves the user's as it was",
  needs: terminalNeeds,
}, async () => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  await ok(host, [
    "run",
    "--runtime",
    "crun",
    "-d",
    "--rm",
    "--name",
    "idle",
    busybox,
    "sleep",
    "1000",
  ]);
  await using bash = await openBash(host);
  await bash.write("\r");
  const { settings } = await atPrompt(bash);
  await type(bash, "$HPK container exec -it idle sh");
  await bash.readUntil(/# /, BUSY);
  await type(bash, "stty size");
  await bash.readUntil(/33 101\r\n/, BUSY);
  await bash.readUntil(/# /, BUSY);
  await type(bash, "seq 1 5000; exit 6");
  assertMatch(await bash.readUntil(/\n5000\r+\n/, BUSY), /\n4999\r/);
  assertEquals(await atPrompt(bash), { status: 6, settings });
  await bash.write("exit\r");
  await bash.waitExit(BUSY);
  await ok(host, ["container", "rm", "-f", "idle"]);
  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "closing a terminal ends its container",
  needs: terminalNeeds,
}, async () => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  {
    await using terminal = await openPty(host, HPKTAINER, [
      ...[
        "run",
        "--runtime",
        "crun",
        "-it",
        busybox,
        "sh",
        "-c",
        "trap '' HUP; echo up; sleep 1000",
      ],
    ]);
    await terminal.readUntil(/up\r\n/, BUSY);
  }
  await eventuallySame(host, before, BUSY);
});

testIf({
  name: "without a terminal on standard input -t fails before anything is made",
  needs: terminalNeeds,
}, async () => {
  await using host = await crunHost();
  const { busybox } = await ociImages();
  const before = await snapshot(host);
  const { code, stdout, stderr } = await run(host, ["-it", busybox, "true"]);
  assertEquals([code, stdout], [125, ""]);
  assertMatch(stderr, /^hpktainer: cannot give the container a terminal: [^\n]+\n$/);
  assertEquals((await container(host, ["ls", "-aq"])).stdout, "");
  await eventuallySame(host, before);
});
