import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { fingerprint, PROGRAMS, readOptions } from "./build.ts";

Deno.test("readOptions() builds every program into dist/ by default", () => {
  const options = readOptions([]);
  assertEquals(options.names, Object.keys(PROGRAMS));
  assert(options.outDir.endsWith("/dist"));
  assertEquals("target" in options, false);
});

Deno.test("readOptions() accepts names, a directory and a target", () => {
  assertEquals(
    readOptions(["--target", "aarch64-unknown-linux-gnu", "--out-dir=out", "host-setup"]),
    { names: ["host-setup"], outDir: "out", target: "aarch64-unknown-linux-gnu" },
  );
});

Deno.test("readOptions() rejects what it does not know", () => {
  assertThrows(() => readOptions(["hpktainr"]), Error, "unknown program hpktainr");
  assertThrows(() => readOptions(["--tarjet", "x"]), Error, "unknown option --tarjet");
});

Deno.test("fingerprint() changes with a source, not with a test", async () => {
  const root = await Deno.makeTempDir() + "/";
  try {
    for (const directory of ["packages/core/src", "scripts/offline"]) {
      await Deno.mkdir(root + directory, { recursive: true });
    }
    await Deno.writeTextFile(`${root}deno.json`, "{}");
    await Deno.writeTextFile(`${root}scripts/build.ts`, "");
    const source = `${root}packages/core/src/a.ts`;
    await Deno.writeTextFile(source, "1");
    const first = await fingerprint(root, "x");
    await Deno.writeTextFile(`${root}packages/core/src/a_test.ts`, "1");
    assertEquals(await fingerprint(root, "x"), first);
    assertNotEquals(await fingerprint(root, "y"), first);
    await Deno.writeTextFile(source, "12");
    const second = await fingerprint(root, "x");
    assertNotEquals(second, first);
    await Deno.remove(source);
    assertNotEquals(await fingerprint(root, "x"), second);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
