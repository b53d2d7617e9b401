import { assert, assertEquals, assertMatch } from "@std/assert";
import { getAvailablePort } from "@std/net";
import { ownerOfSocket, readListeners, readPortRange } from "./sockets.ts";

Deno.test("readListeners finds a socket, and ownerOfSocket its process", () => {
  const port = getAvailablePort();
  const find = () => readListeners("tcp").filter((listener) => listener.port === port);
  assertEquals(find(), []);
  using _server = Deno.listen({ hostname: "127.0.0.1", port });
  const found = find();
  assertEquals(found.map(({ address }) => address), ["127.0.0.1"]);
  assertMatch(ownerOfSocket(found[0]!.inode) ?? "", new RegExp(` \\(pid ${Deno.pid}\\)$`));
});

Deno.test("ownerOfSocket finds no process for a socket that does not exist", () => {
  assertEquals(ownerOfSocket("0"), undefined);
});

Deno.test("readPortRange is a range of ports", () => {
  const [first, last] = readPortRange();
  assert(first > 0 && first <= last && last < 65536, `${first} ${last}`);
});
