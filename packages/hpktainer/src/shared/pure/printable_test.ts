import { assertEquals } from "@std/assert";
import { printable } from "./printable.ts";

Deno.test("untrusted text cannot control a terminal", () => {
  const cases: [string, string][] = [
    ["plain é 你 \u{1f600}", "plain é 你 \u{1f600}"],
    ["\x1b[2J\x07", "\ufffd[2J\ufffd"],
    ["a\r\nb\tc", "a  b c"],
    ["\x9b31m\x7f", "\ufffd31m\ufffd"],
    ["\u202etxt.exe", "\ufffdtxt.exe"],
  ];
  for (const [text, shown] of cases) assertEquals(printable(text), shown);
});
