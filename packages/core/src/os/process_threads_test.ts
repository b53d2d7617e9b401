import { assert, assertEquals } from "@std/assert";
import { identify, isAlive } from "./process.ts";

/** Number of exit(2), which ends one thread (asm/unistd.h). */
const SYS_EXIT = Deno.build.arch === "x86_64" ? 60 : 93;

/** A program whose first thread ends while the runtime's other threads go on. */
const PROGRAM = `
  const { symbols } = Deno.dlopen("libc.so.6", {
    syscall: { parameters: ["i32", "i32"], result: "i32" },
  });
  symbols.syscall(${SYS_EXIT}, 0);`;

/**
 * Apptainer is such a process each time it executes its next program: a thread other than the first
 * does that.
 */
Deno.test("a process whose first thread has ended is alive until the last has", async () => {
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", "--ext=js", PROGRAM] }).spawn();
  const identity = identify(child.pid)!;
  const deadline = Date.now() + 10_000;
  const stat = () => Deno.readTextFileSync(`/proc/${child.pid}/stat`);
  while (!/\) Z /.test(stat())) {
    assert(Date.now() < deadline, stat());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  try {
    assertEquals(identify(child.pid), identity);
    assert(isAlive(identity));
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  assert(!isAlive(identity));
});
