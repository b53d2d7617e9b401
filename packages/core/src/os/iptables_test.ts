import { assertEquals } from "@std/assert";
import { runScript } from "../testing/script.ts";
import { TempDirectory } from "../testing/temp_directory.ts";

/** Evaluates an expression with the exports of iptables.ts, and stand-ins for the programs. */
async function evaluate(expression: string, status = 0): Promise<{ result: string; log: string }> {
  using directory = new TempDirectory();
  directory.program("iptables-save", 'echo "*filter"; echo COMMIT; echo a warning >&2');
  directory.program(
    "iptables-restore",
    `echo "$*" >>"$LOG"; cat >>"$LOG"; echo "line 2 failed" >&2; exit ${status}`,
  );
  const log = directory.write("log", "");
  const { stdout } = await runScript(
    `import { applyRules, saveRules } from "${import.meta.resolve("./iptables.ts")}";
     try {
       console.log(await ${expression});
     } catch (error) {
       console.log(error.name + ": " + error.message.replaceAll("${directory.path}/", ""));
     }`,
    { env: { PATH: `${directory.path}:/usr/bin:/bin`, LOG: log } },
  );
  return { result: stdout.trim(), log: Deno.readTextFileSync(log) };
}

Deno.test("saveRules() returns the output of iptables-save, without its warnings", async () => {
  assertEquals((await evaluate("saveRules()")).result, "*filter\nCOMMIT");
});

Deno.test("applyRules() waits for the lock, flushes nothing, and passes the changes unchanged", async () => {
  const { result, log } = await evaluate('applyRules("*nat\\nCOMMIT\\n")');
  assertEquals([result, log], ["undefined", "--noflush -w 10\n*nat\nCOMMIT\n"]);
});

Deno.test("applyRules() starts nothing if nothing changes", async () => {
  assertEquals(await evaluate('applyRules("")'), { result: "undefined", log: "" });
});

Deno.test("applyRules() fails with iptables-restore's message", async () => {
  assertEquals(
    (await evaluate('applyRules("*nat\\nCOMMIT\\n")', 2)).result,
    "CommandError: 'iptables-restore --noflush -w 10' ended with 2: line 2 failed",
  );
});
