import { assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { HpkError } from "../model/errors.ts";
import { TempDirectory } from "../testing/temp_directory.ts";
import { CommandError, runCommand, runOrThrow, startDetached } from "./command.ts";
import { listDirectory } from "./files.ts";

const sh = (script: string, options = {}) => runCommand("sh", ["-c", script], options);

Deno.test("runCommand() returns exit status, output and errors separately", async () => {
  const cases: [string, number, string, string][] = [
    ["true", 0, "", ""],
    ["echo out; echo err >&2; exit 3", 3, "out\n", "err\n"],
    ["printf 'ü\\n日本'", 0, "ü\n日本", ""],
    ["kill -TERM $$", 143, "", ""],
    ["kill -KILL $$", 137, "", ""],
  ];
  for (const [script, code, stdout, stderr] of cases) {
    assertEquals(await sh(script), { code, stdout, stderr }, script);
  }
});

Deno.test("runCommand() passes arguments unchanged", async () => {
  const args = ["a b", "", "ü", "$HOME", "'\"", "-n"];
  const { stdout } = await runCommand("sh", ["-c", 'printf "%s\\n" "$@"', "sh", ...args]);
  assertEquals(stdout.split("\n").slice(0, -1), args);
});

Deno.test("runCommand() passes standard input, empty by default", async () => {
  assertEquals((await runCommand("cat", [])).stdout, "");
  assertEquals((await runCommand("cat", [], { stdin: "a\nü" })).stdout, "a\nü");
  assertEquals((await runCommand("cat", [], { stdin: "" })).stdout, "");
});

Deno.test("runCommand() accepts the result of a program that ends before it has read everything", async () => {
  for (const stdin of ["x", "x".repeat(1_000_000)]) {
    const { code, stderr } = await sh("echo 'Error: no' >&2; exit 4", { stdin });
    assertEquals([code, stderr], [4, "Error: no\n"]);
  }
});

Deno.test("runCommand() asks for the C locale and adds to the environment", async () => {
  const script = 'printf "%s|%s|%s" "$LC_ALL" "$HPK_TEST" "${PATH:+path}"';
  assertEquals((await sh(script, { environment: { HPK_TEST: "x y" } })).stdout, "C|x y|path");
});

Deno.test("runCommand() kills a program at its time limit, and reports it", async () => {
  const start = performance.now();
  const script = "trap '' TERM; echo begun; exec sleep 30";
  const { code, stdout, stderr } = await sh(script, { timeoutMs: 300 });
  assertEquals([code, stdout, stderr], [137, "begun\n", "ended after 300 ms without an answer\n"]);
  assertLess(performance.now() - start, 10_000);
});

Deno.test("runCommand() says what to do if a program is missing", async () => {
  for (const path of ["hpk-no-such-program", "/nonexistent/ip"]) {
    const { message } = await assertRejects(() => runCommand(path, []), HpkError);
    assertEquals(
      message,
      `cannot run ${path}: it does not exist; install it; 'hpktainer doctor' names the packages`,
    );
  }
});

Deno.test("runOrThrow() returns the output, or throws an error that quotes the program's own", async () => {
  using directory = new TempDirectory();
  const program = directory.program("p", 'printf %s "$3"; printf %s "$2" >&2; exit "$1"');
  assertEquals(await runOrThrow(program, ["0", "a warning", "the output"]), "the output");
  const cases: [string, string, string][] = [
    ["Error: a", "ignored", "Error: a"],
    ["", "on stdout", "on stdout"],
    ["", "", "no message"],
  ];
  for (const [stderr, stdout, said] of cases) {
    const error = await assertRejects(
      () => runOrThrow(program, ["7", stderr, stdout]),
      CommandError,
    );
    assertEquals(error.result, { code: 7, stdout, stderr });
    assertEquals(error.message, `'${program} 7 ${stderr} ${stdout}' ended with 7: ${said}`);
  }
  const lines = await assertRejects(
    () => runOrThrow(program, ["1", "Error:\n  b\n"]),
    CommandError,
  );
  assertEquals(lines.message.endsWith("ended with 1: Error: b"), true, lines.message);
});

Deno.test("runCommand() reads output while it still writes input", async () => {
  const stdin = "x".repeat(1 << 20);
  assertEquals((await runCommand("cat", [], { stdin })).stdout.length, stdin.length);
});

Deno.test("runCommand() says what to do if a file cannot be executed", async () => {
  using directory = new TempDirectory();
  const path = directory.write("program", "");
  const { message } = await assertRejects(() => runCommand(path, []), HpkError);
  assertStringIncludes(message, "it is not an executable program; install it");
});

Deno.test("startDetached() starts a program in a session of its own, in the root directory", async () => {
  using directory = new TempDirectory();
  const path = directory.at("seen");
  const script = `{ cut -d' ' -f1,6 /proc/$$/stat; pwd; } >${path}.new; ` +
    `mv ${path}.new ${path}`;
  await startDetached("setsid", ["sh", "-c", script], { delay: 0.01 });
  const deadline = Date.now() + 10_000;
  while (listDirectory(directory.path)?.includes("seen") !== true && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const [ids, where] = Deno.readTextFileSync(path).split("\n");
  const [pid, session] = ids!.split(" ");
  assertEquals([session, where], [pid, "/"]);
});
