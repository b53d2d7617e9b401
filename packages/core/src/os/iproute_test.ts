import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runScript } from "../testing/script.ts";
import { TempDirectory } from "../testing/temp_directory.ts";

/** A stand-in for ip(8) that writes down its arguments and input, and answers as it is told. */
const IP = `echo "$*" >>"$LOG"
case "$*" in
  *"-details -batch -") cat >>"$LOG"; cat "$LINKS" ;;
  *"route show") cat "$ROUTES" ;;
  *) cat >>"$LOG"; printf %s "$SAYS" >&2; exit "$STATUS" ;;
esac`;

interface Answers {
  links?: unknown;
  routes?: unknown;
  says?: string;
  status?: number;
}

/** Evaluates an expression with everything of iproute.ts at hand; gives its JSON, or what is thrown. */
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
        LINKS: directory.write(
          "links",
          typeof answers.links === "string" ? answers.links : JSON.stringify(answers.links ?? []),
        ),
        ROUTES: directory.write("routes", JSON.stringify(answers.routes ?? [])),
        SAYS: answers.says ?? "",
        STATUS: String(answers.status ?? 0),
      },
    },
  );
  assertEquals(stderr, "");
  const log = Deno.readTextFileSync(directory.at("log")).split("\n").slice(0, -1);
  return { result: stdout.trim(), log };
}

Deno.test("readHostFacts() reads links with their kinds, and IPv4 routes", async () => {
  const { result, log } = await evaluate("readHostFacts([])", {
    links: [{ ifname: "br0", mtu: 1500, flags: ["UP"], linkinfo: { info_kind: "bridge" } }],
    routes: [{ dst: "default", dev: "br0" }, { dst: "10.0.0.0/8", type: "blackhole" }],
  });
  const { links, routes } = JSON.parse(result);
  assertEquals([links.length, links[0].name, links[0].kind], [1, "br0", "bridge"]);
  assertEquals(routes.map(({ device }: { device?: string }) => device), ["br0", undefined]);
  const asked = log.filter((line) => !line.startsWith("address show dev "));
  assertEquals(asked.sort(), ["-force -json -details -batch -", "-json -4 route show"]);
  assert(log.includes("address show dev lo"), log.join("\n"));
});

Deno.test("readHostFacts() drops the routes of a link that went between the two looks", async () => {
  const { result } = await evaluate("readHostFacts([])", {
    links: [{ ifname: "eth0", mtu: 1500 }],
    routes: ["eth0", "if10", "tun0"].map((dev) => ({ dst: "10.0.0.0/8", dev })),
  });
  const devices = JSON.parse(result).routes.map(({ device }: { device: string }) => device);
  assertEquals(devices, ["eth0", "tun0"]);
});

Deno.test("readHostFacts() reads a list for each link, and fails where there is none", async () => {
  const lists = '[{"ifname":"lo","mtu":65536}]\n[{"ifname":"eth0","mtu":1500}]\n';
  const { result } = await evaluate("readHostFacts([])", { links: lists });
  const names = JSON.parse(result).links.map(({ name }: { name: string }) => name);
  assertEquals(names, ["lo", "eth0"]);
  assertStringIncludes(
    (await evaluate("readHostFacts([])", { links: "" })).result,
    "CommandError: 'ip -force -json -details -batch -' ended with 0",
  );
});

Deno.test("ipBatch() gives all commands to one process, in a namespace if one is named", async () => {
  const commands = '["link set lo up", "link add name \\"a\\" type bridge"]';
  const lines = ["link set lo up", 'link add name "a" type bridge'];
  const cases: [string, string][] = [
    [`ipBatch(${commands})`, "-batch -"],
    [`ipBatch(${commands}, "hpk-0")`, "-netns hpk-0 -batch -"],
  ];
  for (const [expression, argv] of cases) {
    const { result, log } = await evaluate(expression);
    assertEquals([result, log], ["nothing", [argv, ...lines]]);
  }
});

Deno.test("ipBatch() fails with what ip says", async () => {
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

Deno.test("ipRemoveAll() goes on after an error, and takes what is gone for removed", async () => {
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

Deno.test("ipRemoveAll() starts nothing where nothing is to be removed", async () => {
  assertEquals(await evaluate("ipRemoveAll([])"), { result: "[]", log: [] });
});
