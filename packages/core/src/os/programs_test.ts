import { assertEquals, assertThrows } from "@std/assert";
import { loadLibc } from "../testing/libc.ts";
import { HpkError } from "../model/errors.ts";
import { runScript } from "../testing/script.ts";
import { TempDirectory } from "../testing/temp_directory.ts";
import { findProgram, PROGRAMS, requireProgram } from "./programs.ts";

loadLibc("access");

const MODULE = import.meta.resolve("./programs.ts");

/** Where a process with this environment finds each program; null if it does not. */
async function findAll(env: Record<string, string>): Promise<Record<string, string | null>> {
  const { stdout, stderr } = await runScript(
    `import { findProgram, PROGRAMS } from "${MODULE}";
     const found = Object.entries(PROGRAMS).map(([key, p]) => [key, findProgram(p) ?? null]);
     console.log(JSON.stringify(Object.fromEntries(found)));`,
    { env },
  );
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

Deno.test("findProgram() takes the first executable file of that name", () => {
  using directory = new TempDirectory();
  for (const name of ["a", "b", "c", "d"]) Deno.mkdirSync(directory.at(name));
  directory.write("b/hpk-test-first", "", 0o644);
  Deno.mkdirSync(directory.at("c/hpk-test-first"));
  const path = directory.program("d/hpk-test-first", "");
  const program = (name: string) => ({
    name,
    fix: "install it",
    directories: () => ["a", "b", "c", "d", "e"].map((entry) => directory.at(entry)),
  });
  assertEquals(findProgram(program("hpk-test-first")), path);
  assertEquals(requireProgram(program("hpk-test-first")), path);
  assertEquals(findProgram(program("hpk-test-none")), undefined);
});

Deno.test("requireProgram() says what to install", () => {
  for (const { fix } of Object.values(PROGRAMS)) {
    const program = { name: "hpk-test-missing", fix, directories: () => [] };
    const { message } = assertThrows(() => requireProgram(program), HpkError);
    assertEquals(message, `cannot find hpk-test-missing: it is not installed; ${fix}`);
  }
});

Deno.test("PATH is searched before the system's directories, plugins in CNI_PATH", async () => {
  using directory = new TempDirectory();
  for (const name of ["bin", "cni", "cni2"]) Deno.mkdirSync(directory.at(name));
  const ip = directory.program("bin/ip", "");
  const restore = directory.program("bin/iptables-restore", "");
  directory.program("bin/host-local", "");
  const hostLocal = directory.program("cni2/host-local", "");
  const found = await findAll({
    PATH: `relative:${directory.at("bin")}:/usr/bin`,
    CNI_PATH: `.:${directory.at("cni")}:${directory.at("cni2")}`,
  });
  assertEquals([found["ip"], found["iptablesRestore"], found["hostLocal"]], [
    ip,
    restore,
    hostLocal,
  ]);
});

Deno.test("programs of the system are found without PATH, and none by a relative one", async () => {
  using directory = new TempDirectory();
  for (const PATH of ["", "relative:.", directory.path]) {
    assertEquals((await findAll({ PATH, CNI_PATH: "" }))["setsid"]?.endsWith("bin/setsid"), true);
  }
});

Deno.test("as root no program is taken from a directory that others can change", async () => {
  using directory = new TempDirectory();
  for (const name of ["open", "users"]) {
    Deno.mkdirSync(directory.at(name));
    directory.program(`${name}/ip`, "");
  }
  Deno.chmodSync(directory.at("open"), 0o777);
  const isRoot = Deno.uid() === 0;
  if (isRoot) Deno.chownSync(directory.at("users"), 12345, null);
  for (const name of ["open", "users"]) {
    const { ip } = await findAll({ PATH: directory.at(name) });
    assertEquals(ip?.startsWith(directory.path), !isRoot);
  }
});

Deno.test("findProgram() takes the PATH of a caller, and does not keep what it finds there", () => {
  using directory = new TempDirectory();
  const path = directory.program("setsid", "");
  assertEquals(findProgram(PROGRAMS.setsid, directory.path), path);
  assertEquals(findProgram(PROGRAMS.setsid)?.startsWith(directory.path), false);
});
