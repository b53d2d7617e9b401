import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { findAccount, madePasswd } from "./accounts.ts";
import { planLimits, readCgroups } from "../../runtimes/crun/pure/cgroup_limits.ts";
import { commandOf } from "./command_line.ts";
import {
  conmonArguments,
  creationFailure,
  parseConmonAnswer,
} from "../../runtimes/crun/pure/conmon_command.ts";
import { parseLogLine, readTime, selectEntries } from "./log_lines.ts";
import { DetachScanner, readDetachKeys } from "./detach_keys.ts";
import { mergeEnvironment, readVariableFile } from "./environment.ts";
import { checkExecutable, CommandFailure } from "./executable.ts";
import { type Entry, resolveInRoot } from "./root_path.ts";
import { readSignal } from "./signals.ts";
import { readLimits } from "./limits.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\nbroken\n";
const GROUP = "root:x:0:\napp:x:1001:\naudio:x:29:app,other\nvideo:x:44:app\n";

Deno.test("a user is found by name or number, with its groups", () => {
  const cases: [text: string, more: string[], expected: unknown[]][] = [
    ["", [], [0, 0, [], "/root"]],
    ["app", [], [1000, 1001, [29, 44], "/home/app"]],
    ["1000", [], [1000, 1001, [29, 44], "/home/app"]],
    ["app:video", [], [1000, 44, [], "/home/app"]],
    ["1234", [], [1234, 0, [], "/"]],
    ["1234:5", ["audio", "7"], [1234, 5, [7, 29], "/"]],
    [":29", [], [0, 29, [], "/root"]],
  ];
  for (const [text, more, expected] of cases) {
    const { uid, gid, groups, home } = findAccount(text, PASSWD, GROUP, more);
    assertEquals([uid, gid, groups, home], expected, text);
  }
  assertThrows(() => findAccount("nobody", PASSWD, GROUP, []), HpkError, "no such user");
  assertThrows(() => findAccount("app:nogroup", PASSWD, GROUP, []), HpkError, "no such group");
  assertEquals(madePasswd("1000:5").split("\n")[1], "user:x:1000:0::/:/bin/sh");
  assertEquals(madePasswd("").split("\n").length, 2);
});

Deno.test("the command is built as by Docker", () => {
  const cases: [Partial<Parameters<typeof commandOf>[0]>, string[]][] = [
    [{}, ["entry", "cmd"]],
    [{ args: ["a"] }, ["entry", "a"]],
    [{ entrypoint: "own" }, ["own"]],
    [{ entrypoint: "own", args: ["a"] }, ["own", "a"]],
    [{ entrypoint: "", args: ["a"] }, ["a"]],
  ];
  for (const [given, expected] of cases) {
    const parts = {
      entrypoint: undefined,
      args: [],
      imageEntrypoint: ["entry"],
      imageCommand: ["cmd"],
      ...given,
    };
    assertEquals(commandOf(parts), expected);
  }
  const nothing = { entrypoint: undefined, args: [], imageEntrypoint: [], imageCommand: [] };
  assertThrows(() => commandOf(nothing), HpkError, "has no command");
});

Deno.test("the last value of a variable counts, and a bare name removes it", () => {
  assertEquals(mergeEnvironment(["A=1", "B=2"], ["A=3", "C=a=b"], ["B"]), ["A=3", "C=a=b"]);
  assertEquals(readVariableFile("f", "A=1\r\n  B=2 \n#x\n", {}), ["A=1", "B=2 "]);
  assertThrows(() => readVariableFile("f", "\nA B=1", {}), HpkError, "f:2: cannot read");
});

Deno.test("paths are resolved within the root", () => {
  const files: Record<string, Entry> = {
    "/etc": { kind: "directory" },
    "/etc/passwd": { kind: "link", target: "/../../outside/../etc/real" },
    "/etc/real": { kind: "file", executable: false },
    "/bin": { kind: "link", target: "usr/bin" },
    "/usr": { kind: "directory" },
    "/usr/bin": { kind: "directory" },
    "/usr/bin/sh": { kind: "file", executable: true },
    "/usr/bin/script": { kind: "file", executable: true },
    "/usr/bin/lost": { kind: "file", executable: true },
    "/usr/bin/text": { kind: "file", executable: true },
    "/loop": { kind: "link", target: "loop" },
    "/outside": { kind: "directory" },
  };
  const heads: Record<string, string> = {
    "/usr/bin/sh": "\x7fELF\x02",
    "/usr/bin/script": "#! /bin/sh -e\n",
    "/usr/bin/lost": "#!/bin/python\n",
    "/usr/bin/text": "echo\n",
  };
  const look = (path: string) => files[path];
  const readHead = (path: string) => heads[path] ?? "";
  assertEquals(resolveInRoot(look, "/etc/passwd")?.path, "/etc/real");
  assertEquals(resolveInRoot(look, "/bin/./sh")?.path, "/usr/bin/sh");
  assertEquals(resolveInRoot(look, "/../..")?.path, "/");
  assertEquals(resolveInRoot(look, "/loop"), undefined);
  assertEquals(resolveInRoot(look, "/etc/real/x"), undefined);

  const status = (command: string, path = "/bin") => {
    try {
      checkExecutable(look, readHead, {
        command,
        environment: [`PATH=${path}`],
        directory: "/bin",
      });
      return 0;
    } catch (error) {
      if (error instanceof CommandFailure) return error.exitStatus;
      throw error;
    }
  };
  const cases: [command: string, status: number][] = [
    ["sh", 0],
    ["/bin/sh", 0],
    ["./sh", 0],
    ["script", 0],
    ["nosuch", 127],
    ["lost", 127],
    ["text", 126],
    ["/etc/passwd", 126],
    ["/etc", 126],
  ];
  for (const [command, expected] of cases) assertEquals(status(command), expected, command);
});

Deno.test("layouts of control groups are distinguished, and limits that cannot be set are reported", () => {
  const v1 = [
    "30 25 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw",
    "31 30 0:27 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory",
    "32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
    "33 30 0:29 / /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids",
  ].join("\n");
  const unified = "34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
  const v2 = "34 25 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
  const all = () => true;
  assertEquals(readCgroups(v1, () => false, "").mode, "none");
  assertEquals(readCgroups(v1, all, ""), {
    mode: "v1",
    controllers: ["cpu", "memory"],
    second: undefined,
  });
  const both = readCgroups(`${v1}\n${unified}`, all, "");
  assertEquals([both.mode, both.second], ["v1", "/sys/fs/cgroup/unified"]);
  assertEquals(readCgroups(v2, all, "cpu memory pids\n"), {
    mode: "v2",
    controllers: ["cpu", "memory", "pids"],
    second: undefined,
  });
  assertEquals(readCgroups(v2.replace("rw,nosuid", "ro,nosuid"), all, "cpu").mode, "none");
  assertEquals(readCgroups("", all, "").mode, "none");

  const values: Record<string, string> = { memory: "64m", cpus: "0.5", "pids-limit": "9" };
  const limits = readLimits((name) => values[name], () => []);
  assertEquals(planLimits(limits, readCgroups(v1, all, "")), {
    resources: { memory: { limit: 67108864 }, cpu: { period: 100000, quota: 50000 } },
    unset: ["--pids-limit is not set: this host has no controller 'pids'"],
  });
  assertEquals(
    planLimits(limits, { mode: "none", controllers: [], second: undefined }).unset.length,
    3,
  );
});

Deno.test("conmon's answer and crun's message give the right exit status", () => {
  assertEquals(parseConmonAnswer('{"data": 17}\n'), { pid: 17 });
  assertEquals(parseConmonAnswer(""), { failure: "conmon gave no answer" });
  const cases: [said: string, status: number][] = [
    ["executable file `x` not found in $PATH: No such file or directory\n", 127],
    ["2026-01-01T00:00:00.0Z: open executable: Permission denied\n", 126],
    ["open executable: Operation not permitted", 126],
    ["mount `/a` to `etc`: Not a directory", 125],
  ];
  for (const [said, status] of cases) {
    assertEquals(creationFailure("x", said).exitStatus, status, said);
  }
  const words = conmonArguments({
    id: "1",
    name: "web",
    crun: "/usr/bin/crun",
    crunArguments: ["--root", "/r"],
    paths: { directory: "/d", log: "/d/log", exits: "/d/e", pid: "/d/p", conmonPid: "/d/c" },
    terminal: true,
    interactive: true,
    keepInput: false,
    output: "kept",
  }).join(" ");
  assertMatch(
    words,
    /--runtime-arg --root --runtime-arg \/r .*k8s-file:\/d\/log .*--terminal --stdin$/,
  );
});

Deno.test("kept output is read, filtered and joined", () => {
  const entries = [
    "2026-01-01T00:00:01.5+00:00 stdout F one",
    "2026-01-01T00:00:02+00:00 stderr P tw",
    "2026-01-01T00:00:03+00:00 stderr F o",
    "2026-01-01T00:00:04+00:00 stdout F ",
    "2026-01-01T00:00:05+00:00 stdout P $ ",
    "nonsense",
  ].flatMap((line) => parseLogLine(line) ?? []);
  const text = (selection: Partial<Parameters<typeof selectEntries>[1]>) =>
    selectEntries(entries, { tail: undefined, since: undefined, until: undefined, ...selection })
      .map((entry) => entry.text).join("");
  assertEquals(text({}), "one\ntwo\n\n$ ");
  assertEquals(text({ tail: 2 }), "\n$ ");
  assertEquals(text({ tail: 3 }), "two\n\n$ ");
  assertEquals(text({ tail: 0 }), "");
  assertEquals(text({ since: Date.parse("2026-01-01T00:00:03Z") }), "o\n\n$ ");
  assertEquals(text({ until: Date.parse("2026-01-01T00:00:02Z") }), "one\ntw");
  assertEquals(readTime("10m", 1_000_000), 400_000);
  assertEquals(readTime("1h30m", 6_000_000), 600_000);
  assertEquals(readTime("12.5", 0), 12_500);
  assertEquals(readTime("2026-01-01T00:00:00Z", 0), Date.UTC(2026, 0, 1));
  assertEquals(readTime("soon", 0), undefined);
});

Deno.test("detach keys are found across chunks of input, and nothing else is lost", () => {
  const keys = readDetachKeys("ctrl-p,ctrl-q");
  assertEquals(keys, [16, 17]);
  assertEquals(readDetachKeys("a,ctrl-[,ctrl-_"), [97, 27, 31]);
  assertThrows(() => readDetachKeys("ctrl-pp"), HpkError, "is not a valid key");
  const cases: [pieces: number[][], forwarded: number[], detached: boolean][] = [
    [[[1, 2]], [1, 2], false],
    [[[1, 16, 17, 3]], [1], true],
    [[[16], [17]], [], true],
    [[[16], [16], [17]], [16], true],
    [[[16], [5]], [16, 5], false],
    [[[16]], [], false],
  ];
  for (const [pieces, forwarded, detached] of cases) {
    const scanner = new DetachScanner(keys);
    const results = pieces.map((piece) => scanner.take(Uint8Array.from(piece)));
    assertEquals(results.flatMap(({ forward }) => [...forward]), forwarded, `${pieces}`);
    assertEquals(results.at(-1)!.detached, detached, `${pieces}`);
  }
  const repeated = new DetachScanner([1, 1, 2]);
  assertEquals([...repeated.take(Uint8Array.from([1, 1, 1, 2])).forward], [1]);
});

Deno.test("signals have names and numbers", () => {
  const cases: [string, number][] = [["TERM", 15], ["sigkill", 9], ["15", 15], ["RTMIN+3", 37]];
  for (const [text, number] of cases) assertEquals(readSignal(text), number);
  for (const text of ["", "NOSUCH", "0", "65"]) assertThrows(() => readSignal(text), HpkError);
});
