import { assertEquals } from "@std/assert";
import { runScript } from "../testing/script.ts";
import { TempDirectory } from "../testing/temp_directory.ts";

/** A stand-in for ip(8) that records its arguments and input, and answers as instructed. */
const IP = 'echo "$*" >>"$LOG"; cat >>"$LOG"; printf %s "$SAYS" >&2; exit "$STATUS"';

interface Answers {
  says?: string;
  status?: number;
}

/** Evaluates an expression with the exports of iproute.ts; returns its JSON, or the error. */
async function evaluate(
  expression: string,
  answers: Answers = {},
): Promise<{ result: string; log: string[] }> {
  using directory = new TempDirectory();
  directory.program("ip", IP);
  const { stdout, stderr } = await runScript(
    `import * as iproute from "${import.meta.resolve("./iproute.ts")}";
     try {
       console.log(JSON.stringify(await iproute.${expression}) ?? "nothing");
     } catch (error) {
       console.log(error.name + ": " + error.message.replaceAll("${directory.path}/", ""));
     }`,
    {
      env: {
        PATH: `${directory.path}:/usr/bin:/bin`,
        LOG: directory.write("log", ""),
        SAYS: answers.says ?? "",
        STATUS: String(answers.status ?? 0),
      },
    },
  );
  assertEquals(stderr, "");
  const log = Deno.readTextFileSync(directory.at("log")).split("\n").slice(0, -1);
  return { result: stdout.trim(), log };
}

Deno.test("ipBatch() passes all commands to one process", async () => {
  const commands = '["link set lo up", "link add name \\"a\\" type bridge"]';
  const { result, log } = await evaluate(`ipBatch(${commands})`);
  const lines = ["link set lo up", 'link add name "a" type bridge'];
  assertEquals([result, log], ["nothing", ["-batch -", ...lines]]);
});

Deno.test("ipBatch() fails with ip's message", async () => {
  const says = "RTNETLINK answers: File exists\nCommand failed -:1\n";
  const { result } = await evaluate('ipBatch(["link add name a type bridge"])', {
    says,
    status: 1,
  });
  assertEquals(
    result,
    "CommandError: 'ip -batch -' ended with 1: RTNETLINK answers: File exists Command failed -:1",
  );
});

Deno.test("ipRemoveAll() goes on after an error, and treats missing things as removed", async () => {
  const gone = 'Cannot find device "a"\nCommand failed -:1\n' +
    'Cannot remove namespace file "/run/netns/b": No such file or directory\nCommand failed -:2\n' +
    "RTNETLINK answers: Cannot assign requested address\nCommand failed -:3\n";
  const busy = "RTNETLINK answers: Device or resource busy\nCommand failed -:4\n";
  const expression = 'ipRemoveAll(["link delete dev a", "netns delete b"])';
  const commands = ["link delete dev a", "netns delete b"];
  const cases: [Answers, string[]][] = [
    [{}, []],
    [{ says: "a warning\n" }, []],
    [{ says: gone, status: 1 }, []],
    [{ says: gone + busy, status: 1 }, [
      "'ip -force -batch -' ended with 1: RTNETLINK answers: Device or resource busy",
    ]],
  ];
  for (const [answers, expected] of cases) {
    const { result, log } = await evaluate(expression, answers);
    const errors = JSON.parse(result).map((line: string) => line.replace(/'\S*\/ip /, "'ip "));
    assertEquals([errors, log], [expected, ["-force -batch -", ...commands]]);
  }
});

Deno.test("ipRemoveAll() starts nothing if there is nothing to remove", async () => {
  assertEquals(await evaluate("ipRemoveAll([])"), { result: "[]", log: [] });
});
