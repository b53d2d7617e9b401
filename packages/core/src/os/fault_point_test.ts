import { assertEquals } from "@std/assert";
import { runScript } from "../testing/script.ts";
import { TempDirectory } from "../testing/temp_directory.ts";

const SCRIPT = `import { faultPoint } from "${import.meta.resolve("./fault_point.ts")}";
  for (const name of ["a", "b", "c"]) { console.log(name); faultPoint(name); }`;

const ALL = "a\nb\nc\n";

Deno.test("faultPoint() does nothing by default", async () => {
  const result = await runScript(SCRIPT);
  assertEquals(result, { code: 0, signal: null, stdout: ALL, stderr: "" });
});

Deno.test("faultPoint() appends the points to the file in order", async () => {
  using directory = new TempDirectory();
  const trace = directory.write("trace", "before\n");
  const { stdout } = await runScript(SCRIPT, { env: { HPK_FAULT_TRACE: trace } });
  assertEquals([stdout, Deno.readTextFileSync(trace)], [ALL, `before\n${ALL}`]);
});

Deno.test("faultPoint() ends the process at the named point", async () => {
  using directory = new TempDirectory();
  const env = { HPK_FAULT_KILL: "b", HPK_FAULT_TRACE: directory.at("trace") };
  const { signal, code, stdout } = await runScript(SCRIPT, { env });
  assertEquals([signal, code, stdout], ["SIGKILL", 137, "a\nb\n"]);
  assertEquals(Deno.readTextFileSync(env.HPK_FAULT_TRACE), "a\nb\n");
});

Deno.test("faultPoint() does not end a process that never reaches the point", async () => {
  const { code, stdout } = await runScript(SCRIPT, { env: { HPK_FAULT_KILL: "z" } });
  assertEquals([code, stdout], [0, ALL]);
});
