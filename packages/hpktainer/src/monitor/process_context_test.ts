import { assertEquals, assertThrows } from "@std/assert";
import { readProcessContext } from "./process_context.ts";

Deno.test("readProcessContext() reads a process's arguments, environment and location", async () => {
  const child = new Deno.Command("/bin/sleep", {
    args: ["60", "0"],
    cwd: "/usr",
    clearEnv: true,
    env: { A: "b=c", EMPTY: "" },
    stdin: "null",
    stderr: "null",
  }).spawn();
  try {
    // spawn() returns once the program has started.
    const { program, argv, environment, workingDirectory, rootDirectory, namespaces } =
      readProcessContext(
        child.pid,
      );
    assertEquals(program, Deno.realPathSync("/bin/sleep"));
    assertEquals(argv, ["/bin/sleep", "60", "0"]);
    assertEquals(environment, { A: "b=c", EMPTY: "" });
    assertEquals([workingDirectory, rootDirectory], ["/usr", "/"]);
    assertEquals(namespaces, readProcessContext("self").namespaces);
  } finally {
    child.kill();
    await child.status;
  }
  assertThrows(() => readProcessContext(child.pid));
});
