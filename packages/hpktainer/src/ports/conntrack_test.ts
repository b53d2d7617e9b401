import { assertEquals } from "@std/assert";
import { runScript, TempDirectory } from "@hpk/core/testing";

/** The arguments of each call of conntrack(8) that deletes the flows of these ports. */
async function calls(ports: string): Promise<string[]> {
  using directory = new TempDirectory();
  const log = directory.write("log", "");
  // Its status if there was no such flow.
  directory.program("conntrack", 'echo "$*" >>"$LOG"; exit 1');
  const { stderr } = await runScript(
    `import { forgetFlows } from "${import.meta.resolve("./conntrack.ts")}";
     import { parsePublishList } from "@hpk/core";
     await forgetFlows(parsePublishList("${ports}"));`,
    { env: { PATH: `${directory.path}:/usr/bin:/bin`, LOG: log } },
  );
  assertEquals(stderr, "");
  return Deno.readTextFileSync(log).trim().split("\n").filter((line) => line !== "");
}

Deno.test("forgetFlows() deletes UDP flows, port by port", async () => {
  assertEquals(await calls("80:80,53:5353/udp,7000-7001:7000-7001/udp"), [
    "-D -p udp --orig-port-dst 53",
    "-D -p udp --orig-port-dst 7000",
    "-D -p udp --orig-port-dst 7001",
  ]);
  assertEquals(await calls("80:80"), []);
});

Deno.test("forgetFlows() makes one call for a large range", async () => {
  assertEquals(await calls("10000-20000:10000-20000/udp"), ["-D -p udp --dst-nat"]);
});
