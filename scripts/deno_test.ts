/** Tests the launcher with a stand-in for Deno that prints its arguments. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../", import.meta.url).pathname;
const OFFLINE_MAP = `${ROOT}scripts/offline/import_map.json`;

interface Launch {
  code: number;
  words: string[];
  stderr: string;
}

/** Runs the launcher with a clean environment, a cache of its own, and an old Deno on PATH. */
async function launch(env: Record<string, string>, ...args: string[]): Promise<Launch> {
  const home = await Deno.makeTempDir();
  try {
    const fake = `${home}/fake-deno`;
    const probe = env["JSR"] === undefined ? "" : `[ "$1" = cache ] && exit ${env["JSR"]}`;
    await Deno.writeTextFile(fake, `#!/bin/sh\n${probe}\nprintf "%s\\n" "$@"\n`, { mode: 0o755 });
    await Deno.mkdir(`${home}/old`);
    await Deno.writeTextFile(`${home}/old/deno`, "#!/bin/sh\necho deno 1.46.3\n", { mode: 0o755 });
    if (env["REMEMBERED"]) {
      await Deno.mkdir(`${home}/hpktainer`);
      await Deno.writeTextFile(`${home}/hpktainer/deps`, env["REMEMBERED"]);
    }
    const { code, stdout, stderr } = await new Deno.Command(`${ROOT}scripts/deno`, {
      args,
      clearEnv: true,
      env: {
        PATH: `${home}/old:/usr/bin:/bin`,
        HOME: home,
        XDG_CACHE_HOME: home,
        HPK_DENO: fake,
        ...env,
      },
    }).output();
    const text = new TextDecoder();
    const words = text.decode(stdout).split("\n").slice(0, -1);
    return { code, words, stderr: text.decode(stderr) };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("scripts/deno inserts the offline map after the subcommand, with one notice", async () => {
  const { words, stderr } = await launch({ HPK_DEPS: "offline" }, "test", "-A", "a b");
  assertEquals(words, ["test", "--import-map", OFFLINE_MAP, "-A", "a b"]);
  assertStringIncludes(stderr, "dependencies come from npm");
  const nested = await launch({ HPK_DEPS: "offline", HPK_DEPS_TOLD: "1" }, "run", "x.ts");
  assertEquals([nested.words[1], nested.stderr], ["--import-map", ""]);
});

Deno.test("scripts/deno keeps the project's own map with jsr", async () => {
  const { words, stderr } = await launch({ HPK_DEPS: "jsr" }, "check", "x.ts");
  assertEquals([words, stderr], [["check", "x.ts"], ""]);
});

Deno.test("scripts/deno passes subcommands without a map through", async () => {
  for (const subcommand of ["fmt", "lint", "task"]) {
    const { words } = await launch({ HPK_DEPS: "offline" }, subcommand, "x");
    assertEquals(words, [subcommand, "x"]);
  }
});

Deno.test("scripts/deno uses the cached answer", async () => {
  const offline = await launch({ REMEMBERED: "offline" }, "run", "x.ts");
  assertEquals(offline.words, ["run", "--import-map", OFFLINE_MAP, "x.ts"]);
  assertEquals((await launch({ REMEMBERED: "jsr" }, "run", "x.ts")).words, ["run", "x.ts"]);
});

Deno.test("scripts/deno asks Deno whether JSR can be reached", async () => {
  assertEquals((await launch({ JSR: "0" }, "run", "x.ts")).words, ["run", "x.ts"]);
  const { words } = await launch({ JSR: "1" }, "run", "x.ts");
  assertEquals(words, ["run", "--import-map", OFFLINE_MAP, "x.ts"]);
});

Deno.test("scripts/deno accepts the path of another map", async () => {
  const map = `${ROOT}scripts/offline/import_map.json`;
  assertEquals((await launch({ HPK_DEPS: map }, "run", "x.ts")).words[2], map);
});

Deno.test("scripts/deno reports errors in one line", async () => {
  for (
    const [env, message] of [
      [{ HPK_DEPS: "npm" }, /^scripts\/deno: HPK_DEPS=npm is not known: set it to .*\n$/],
      [{ HPK_DEPS: "no.json" }, /^scripts\/deno: HPK_DEPS=no\.json cannot be read: .*\n$/],
      [
        { HPK_DENO: "/nowhere/deno" },
        /^scripts\/deno: HPK_DENO=\/nowhere\/deno cannot be run: .*\n$/,
      ],
      [{ HPK_DENO: "" }, /^scripts\/deno: no Deno .* here, .*: run scripts\/setup deno\n$/],
    ] as const
  ) {
    const { code, stderr } = await launch(env, "run", "x.ts");
    assertEquals(code, 1);
    assertMatch(stderr, message);
  }
});
