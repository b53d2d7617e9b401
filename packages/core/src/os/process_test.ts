import { assert, assertEquals, assertMatch } from "@std/assert";
import { NO_PROCESS } from "../model/ledger_record.ts";
import { TempDirectory } from "../testing/temp_directory.ts";
import {
  argumentsOf,
  bootId,
  identify,
  isAlive,
  processesInNamespace,
  programNameOf,
  readPidFile,
  startTimeOf,
  thisProcess,
} from "./process.ts";

/** Waits until a condition holds; the test fails if it never does. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    assert(Date.now() < deadline, `in vain: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("bootId() is the kernel's", () => {
  assertMatch(bootId(), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assertEquals(bootId(), bootId());
});

Deno.test("thisProcess() is alive, and not with another boot, pid or start time", () => {
  const own = thisProcess();
  assertEquals([own.pid, own.bootId], [Deno.pid, bootId()]);
  assert(isAlive(own));
  assert(!isAlive({ ...own, bootId: "00000000-0000-0000-0000-000000000000" }));
  assert(!isAlive({ ...own, startTime: own.startTime + 1 }));
  assert(!isAlive({ ...own, startTime: NaN }));
  assert(!isAlive(NO_PROCESS));
});

Deno.test("identify() follows a process to its end", async () => {
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const identity = identify(child.pid)!;
  assert(isAlive(identity));
  assert(identity.startTime >= thisProcess().startTime);
  child.kill("SIGKILL");
  await child.status;
  assertEquals([isAlive(identity), identify(child.pid)], [false, undefined]);
});

Deno.test("argumentsOf() and programNameOf() identify a process", async () => {
  const child = new Deno.Command("sleep", { args: ["60", "0"] }).spawn();
  await until(() => argumentsOf(child.pid).length === 3);
  assertEquals([argumentsOf(child.pid).slice(1), programNameOf(child.pid)], [["60", "0"], "sleep"]);
  child.kill("SIGKILL");
  await child.status;
  assertEquals([argumentsOf(child.pid), programNameOf(child.pid)], [[], undefined]);
});

Deno.test("a process that has ended and waits to be reaped is not alive", async () => {
  // The shell is replaced by a program that never waits for the shell's child.
  const script = "sleep 0 & echo $!; exec sleep 60";
  const parent = new Deno.Command("sh", { args: ["-c", script], stdout: "piped" }).spawn();
  const reader = parent.stdout.getReader();
  try {
    const pid = Number(new TextDecoder().decode((await reader.read()).value));
    await until(() => startTimeOf(pid) === undefined);
    assertMatch(Deno.readTextFileSync(`/proc/${pid}/stat`), /\) Z /);
    assertEquals(identify(pid), undefined);
    // Its memory is freed, its name is still there.
    assertEquals([argumentsOf(pid), programNameOf(pid)], [[], "sleep"]);
  } finally {
    parent.kill("SIGKILL");
    await parent.status;
    await reader.cancel();
  }
});

Deno.test("startTimeOf() is not misled by the name of a program", async () => {
  using directory = new TempDirectory();
  const shell = Deno.realPathSync("/bin/sh");
  for (const name of ["a b", "x) R 1 2", "((", "1 Z 3"]) {
    Deno.copyFileSync(shell, directory.at(name));
    const child = new Deno.Command(directory.at(name), { args: ["-c", "read x"], stdin: "piped" })
      .spawn();
    const own = thisProcess().startTime;
    await until(() => Deno.readTextFileSync(`/proc/${child.pid}/comm`).trim() === name);
    const startTime = startTimeOf(child.pid)!;
    assert(startTime >= own && startTime < own + 1e6, `${name}: ${startTime}`);
    await child.stdin.close();
    await child.status;
  }
});

Deno.test("startTimeOf() is undefined for a pid without a process", () => {
  for (const pid of [0, -1, 2 ** 31 - 1, NaN]) assertEquals(startTimeOf(pid), undefined);
});

Deno.test("processesInNamespace() finds the processes in one, and none if it does not exist", () => {
  assert(processesInNamespace("/proc/self/ns/net").includes(Deno.pid));
  assert(!processesInNamespace("/proc/self/ns/mnt").includes(Deno.pid));
  assertEquals(processesInNamespace("/nonexistent"), []);
});

Deno.test("readPidFile() takes a number and nothing else", () => {
  using directory = new TempDirectory();
  const cases: [text: string, expected: number | undefined][] = [
    ["42\n", 42],
    [" 7 ", 7],
    ["", undefined],
    ["0", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["x", undefined],
  ];
  for (const [text, expected] of cases) {
    assertEquals(readPidFile(directory.write("pid", text)), expected, text);
  }
  assertEquals(readPidFile(directory.at("none")), undefined);
});
