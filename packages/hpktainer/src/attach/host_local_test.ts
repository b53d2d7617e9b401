import { assertEquals } from "@std/assert";
import { loadLibc, runScript, TempDirectory } from "@hpk/core/testing";
import { forgetAddresses } from "./host_local.ts";

loadLibc();

/** A stand-in for the plugin that records its input and prints $ANSWER. */
const PLUGIN = 'printf "%s %s %s\\n" "$CNI_COMMAND" "$CNI_CONTAINERID" "$CNI_ARGS" >"$LOG"\n' +
  'cat >>"$LOG"\nprintf %s "$ANSWER"\nexit "$STATUS"';

/** Allocates or releases with a plugin that answers so; returns the result as JSON or text. */
async function call(
  which: "allocateAddress" | "releaseAddress",
  answer: string,
  status: number,
): Promise<{ result: string; log: string }> {
  using directory = new TempDirectory();
  directory.program("host-local", PLUGIN);
  const { stdout, stderr } = await runScript(
    `import { ${which} } from "${import.meta.resolve("./host_local.ts")}";
     const request = {
       network: "net", subnet: { network: 0x0a600000, prefix: 24 }, gateway: 0x0a600001,
       dataDir: "/leases", id: "0123456789ab", address: 0x0a600007,
     };
     try {
       console.log(JSON.stringify(await ${which}(request)));
     } catch (error) {
       console.log(error.name, error.failure, error.message);
     }`,
    {
      env: {
        CNI_PATH: directory.path,
        LOG: directory.at("log"),
        ANSWER: answer,
        STATUS: String(status),
      },
    },
  );
  assertEquals(stderr, "");
  return { result: stdout.trim(), log: Deno.readTextFileSync(directory.at("log")) };
}

Deno.test("allocateAddress() requests an address by ADD, and returns what it gets", async () => {
  const answer = '{"cniVersion":"1.0.0","ips":[{"address":"10.96.0.7/24"}],"dns":{}}';
  const { result, log } = await call("allocateAddress", answer, 0);
  assertEquals(result, `{"ipv4":${0x0a600007}}`);
  const [line, config] = log.split("\n");
  assertEquals(line, "ADD 0123456789ab IgnoreUnknown=1;IP=10.96.0.7");
  assertEquals(JSON.parse(config!).ipam, {
    type: "host-local",
    dataDir: "/leases",
    ranges: [[{ subnet: "10.96.0.0/24", gateway: "10.96.0.1" }]],
  });
});

Deno.test("allocateAddress() reports why there is none", async () => {
  const none = "failed to allocate for range 0: no IP addresses available in range set: x";
  const taken = "requested IP address 10.96.0.7 is not available in range set x";
  const cases: [string, string][] = [
    [JSON.stringify({ code: 999, msg: none }), `AllocationError exhausted ${none}`],
    [JSON.stringify({ code: 999, msg: taken }), `AllocationError taken ${taken}`],
    ["panic:\n  out of memory", "AllocationError other panic: out of memory"],
  ];
  for (const [answer, expected] of cases) {
    assertEquals((await call("allocateAddress", answer, 1)).result, expected);
  }
});

Deno.test("releaseAddress() releases by DEL, and reports errors", async () => {
  const { result, log } = await call("releaseAddress", "", 0);
  assertEquals([result, log.split("\n")[0]?.split(" ")[0]], ["undefined", "DEL"]);
  const failed = await call("releaseAddress", '{"code":5,"msg":"cannot lock"}', 1);
  assertEquals(failed.result, "AllocationError other cannot lock");
});

Deno.test("forgetAddresses() removes the container's addresses, and nothing else", () => {
  using directory = new TempDirectory();
  Deno.mkdirSync(directory.at("net"));
  directory.write("net/10.96.0.2", "0123456789ab\r\neth0");
  directory.write("net/10.96.0.3", "0123456789ac\r\neth0");
  directory.write("net/fd00:96::2", "0123456789ab\r\neth0");
  directory.write("net/last_reserved_ip.0", "10.96.0.3");
  const request = { dataDir: directory.path, network: "net", id: "0123456789ab" };
  forgetAddresses(request, ["10.96.0.2", "10.96.0.3", "10.96.0.4", "fd00:96::2"]);
  const left = [...Deno.readDirSync(directory.at("net"))].map(({ name }) => name).sort();
  assertEquals(left, ["10.96.0.3", "last_reserved_ip.0", "lock"]);
});

Deno.test("forgetAddresses() creates nothing if nothing was allocated", () => {
  using directory = new TempDirectory();
  forgetAddresses({ dataDir: directory.path, network: "net", id: "0123456789ab" }, ["10.96.0.2"]);
  assertEquals([...Deno.readDirSync(directory.path)], []);
});
