import { assert, assertEquals } from "@std/assert";
import { runScript, type ScriptOptions, type ScriptResult } from "../testing/script.ts";
import { TempDirectory } from "../testing/temp_directory.ts";
import { mayExecute } from "./exec.ts";
import { loadLibc } from "../testing/libc.ts";

loadLibc("access");

const MODULE = import.meta.resolve("./exec.ts");

/** Runs a process that replaces itself by another program. */
function become(
  path: string,
  argv: readonly string[],
  options: ScriptOptions & { before?: string } = {},
): Promise<ScriptResult> {
  return runScript(
    `import { execInPlace } from "${MODULE}";
     ${options.before ?? ""}
     execInPlace(${JSON.stringify(path)}, ${JSON.stringify(argv)});`,
    options,
  );
}

const sh = (script: string, ...args: string[]) => ["sh", "-c", script, ...args];

Deno.test("execInPlace() gives the program's exit status, or the signal that ended it", async () => {
  const cases: [string, number, Deno.Signal | null][] = [
    ["exit 0", 0, null],
    ["exit 7", 7, null],
    ["exit 255", 255, null],
    ["kill -TERM $$", 143, "SIGTERM"],
    ["kill -PIPE $$; echo still here", 141, "SIGPIPE"],
  ];
  for (const [script, code, signal] of cases) {
    const result = await become("/bin/sh", sh(script));
    assertEquals(result, { code, signal, stdout: "", stderr: "" }, script);
  }
});

Deno.test("execInPlace() passes arguments unchanged, name first", async () => {
  const args = ["a b", "", "ü 日本 😀", "$HOME", "line\nfeed", "'\"\\", "x".repeat(5000)];
  const script = 'printf "%s\\0" "$0" "$@"';
  const { stdout } = await become("/bin/sh", sh(script, "the name", ...args));
  assertEquals(stdout.split("\0").slice(0, -1), ["the name", ...args]);
  const many = Array.from({ length: 2000 }, (_, index) => `argument ${index}`);
  assertEquals((await become("/bin/sh", sh('echo "$#"', "sh", ...many))).stdout, "2000\n");
});

Deno.test("execInPlace() keeps the environment, including changes", async () => {
  const { stdout } = await become("/bin/sh", sh('echo "$A|$B|${C-unset}"'), {
    env: { A: "from outside", C: "x" },
    before: 'Deno.env.set("B", "ü = 1"); Deno.env.delete("C");',
  });
  assertEquals(stdout, "from outside|ü = 1|unset\n");
});

Deno.test("execInPlace() sets the given variables", async () => {
  const { stdout } = await runScript(
    `import { execInPlace } from "${MODULE}";
     execInPlace("/bin/sh", ["sh", "-c", 'echo "$A|$B"'], { A: "new", B: "" });`,
    { env: { A: "old", B: "old" } },
  );
  assertEquals(stdout, "new|\n");
});

Deno.test("execInPlace() keeps the process's number, directory and standard streams", async () => {
  using directory = new TempDirectory();
  const path = Deno.realPathSync(directory.path);
  const { stdout, stderr } = await become("/bin/sh", sh("echo $$; pwd; cat; echo err >&2"), {
    stdin: "from outside\n",
    before: `console.log(Deno.pid); Deno.chdir(${JSON.stringify(path)});`,
  });
  const [before, after, ...rest] = stdout.split("\n");
  assertEquals(before, after);
  assertEquals([rest, stderr], [[path, "from outside", ""], "err\n"]);
});

Deno.test("execInPlace() passes on no ignored or blocked signal, and no descriptor of the runtime", async () => {
  const script = "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd";
  const { stdout } = await become("/bin/sh", sh(script), {
    before: 'Deno.addSignalListener("SIGUSR1", () => {});',
  });
  const output = new Deno.Command("/bin/sh", { args: ["-c", script], stdin: "null" }).outputSync();
  // Signals 32 and 33 are the C library's own, which it ignores in what it starts.
  const ordinary = (text: string) =>
    text.replace(/[0-9a-f]{16}/g, (set) => (BigInt(`0x${set}`) & 0x7fffffffn).toString(16));
  assertEquals(ordinary(stdout), ordinary(new TextDecoder().decode(output.stdout)));
});

Deno.test("execInPlace() throws if the program cannot be executed, and the process goes on", async () => {
  using directory = new TempDirectory();
  const plain = directory.write("plain", "text");
  const cases: [string, string][] = [
    ["/nonexistent", "ENOENT"],
    [plain, "EACCES"],
    [directory.write("odd", "\x7fnot a program", 0o755), "ENOEXEC"],
    [`${plain}/x`, "ENOTDIR"],
  ];
  for (const [path, name] of cases) {
    const { stdout, code } = await runScript(
      `import { execInPlace } from "${MODULE}";
       try {
         execInPlace("${path}", ["x"]);
       } catch (error) {
         console.log(error.name, error.message);
       }
       console.log(Deno.readTextFileSync("/proc/self/status").match(/SigIgn:\\t(\\w+)/)[1]);`,
    );
    const [line, ignored] = stdout.split("\n");
    assertEquals([line, code], [`SystemCallError execv ${path}: ${name}`, 0]);
    assert((BigInt(`0x${ignored}`) & (1n << 12n)) !== 0n, "the runtime ignores SIGPIPE again");
  }
});

Deno.test("mayExecute() depends on the mode, and on the file's existence", () => {
  using directory = new TempDirectory();
  directory.write("plain", "", 0o644);
  const program = directory.program("program", "");
  const cases: [string, boolean][] = [
    [program, true],
    [directory.path, true],
    [directory.at("plain"), false],
    [directory.at("none"), false],
    [`${program}/below`, false],
  ];
  for (const [path, expected] of cases) assertEquals(mayExecute(path), expected, path);
});
