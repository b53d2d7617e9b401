import { assertEquals, assertMatch } from "@std/assert";
import { runScript } from "../testing/script.ts";

const IMPORT = `import { log, logAsService, logEverything, logProgram, openLog } from "${
  import.meta.resolve("./log.ts")
}";`;

const EACH = `${IMPORT}
  openLog();
  for (const level of ["error", "warn", "info", "debug"]) log(level, () => (console.log(level), level));`;

Deno.test("log() makes and writes only the lines of the levels that are wanted", async () => {
  const cases: [string | undefined, string][] = [
    [undefined, "error warn"],
    ["", "error warn"],
    ["error", "error"],
    ["info", "error warn info"],
    ["debug", "error warn info debug"],
  ];
  for (const [level, expected] of cases) {
    const { stdout, stderr } = await runScript(
      EACH,
      level === undefined ? {} : { env: { HPK_LOG: level } },
    );
    const lines = stderr.trimEnd().split("\n");
    for (const line of lines) assertMatch(line, /^hpktainer: (\w+) \d+\.\d ms: \1$/);
    assertEquals([stdout.trimEnd().split("\n").join(" "), lines.length], [
      expected,
      expected.split(" ").length,
    ]);
  }
});

Deno.test("openLog() refuses a level that there is not, and log() goes on without it", async () => {
  const script = `${IMPORT}
    log("warn", "a"); log("info", "b");
    try { openLog(); } catch (error) { console.log(error.message); }`;
  const { stdout, stderr } = await runScript(script, { env: { HPK_LOG: "loud" } });
  assertMatch(stdout, /^cannot use HPK_LOG=loud: /);
  assertMatch(stderr, /^hpktainer: warn \d+\.\d ms: a\n$/);
});

Deno.test("logAsService() writes the forms of a journal and of a file", async () => {
  const script = `${IMPORT}
    openLog("info");
    logAsService("journal", () => console.log("written"));
    log("info", "a"); log("debug", "b");
    logAsService("file", () => {});
    log("warn", "c");`;
  const { stdout, stderr } = await runScript(script);
  assertEquals(stdout, "written\n");
  assertMatch(stderr, /^<6>a\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warn: c\n$/);
});

Deno.test("logProgram() shows a program, its status and what it said when it failed", async () => {
  const script = `${IMPORT}
    logProgram(["/bin/none", "x"], 1)(0);
    logEverything();
    logProgram(["/bin/a", "--password", "s"], 7)(3, "no\\nway");
    logProgram(["/bin/b"], 8)(0, "chatter");
    logProgram(["/bin/c"]);`;
  const { stderr } = await runScript(script);
  assertEquals(
    stderr.replace(/\d+\.\d ms/g, "T"),
    [
      "hpktainer: debug T: run a[7]: /bin/a --password ***",
      "hpktainer: debug T: end a[7]: status 3 after T: no way",
      "hpktainer: debug T: run b[8]: /bin/b",
      "hpktainer: debug T: end b[8]: status 0 after T",
      "hpktainer: debug T: become /bin/c",
      "",
    ].join("\n"),
  );
});
