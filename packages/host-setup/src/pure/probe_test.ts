import { assertEquals } from "@std/assert";
import { dnsQuery, isDnsAnswer, pattern, TRANSFER_BYTES } from "./probe.ts";

Deno.test("dnsQuery, golden: one question, the root's name servers, recursion desired", () => {
  assertEquals(
    [...dnsQuery(0x1234)],
    [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1],
  );
});

Deno.test("isDnsAnswer accepts only an answer to the same query", () => {
  const answer = dnsQuery(0x1234);
  assertEquals(isDnsAnswer(answer, 0x1234), false);
  answer[2] = 0x81;
  assertEquals(isDnsAnswer(answer, 0x1234), true);
  assertEquals(isDnsAnswer(answer, 0x1235), false);
  assertEquals(isDnsAnswer(answer.slice(0, 11), 0x1234), false);
});

Deno.test("the period of the pattern does not divide a segment size", () => {
  const bytes = pattern();
  assertEquals([bytes.length, bytes[0], bytes[250], bytes[251]], [TRANSFER_BYTES, 0, 250, 0]);
});
