import { assertEquals, assertMatch } from "@std/assert";
import { HpkError, type RelayRequest } from "@hpk/core";
import { answerLine } from "./control_server.ts";

Deno.test("a line is answered, and errors are answered instead of thrown", async () => {
  const seen: RelayRequest[] = [];
  const answer = (request: RelayRequest) => {
    seen.push(request);
    if (request.op === "remove") throw new HpkError({ what: "a", why: "b", fix: "c" });
    return Promise.resolve({ version: 1, ok: true } as const);
  };
  assertEquals(await answerLine('{"version":1,"op":"status"}', answer), { version: 1, ok: true });
  assertEquals(await answerLine('{"version":1,"op":"remove","id":"x"}', answer), {
    version: 1,
    ok: false,
    error: "a: b; c",
  });
  const bad = await answerLine("{", answer);
  assertMatch(bad.ok ? "" : bad.error, /^malformed request: the line is not JSON/);
  assertEquals(seen.length, 2);
});
