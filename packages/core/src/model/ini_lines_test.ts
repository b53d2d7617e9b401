import { assertEquals } from "@std/assert";
import { type IniLine, readIniLines } from "./ini_lines.ts";

/** A line as text: number, section, key and value. */
const show = ({ line, section, key, value }: IniLine): string =>
  `${line} [${section ?? ""}] ${key ?? "-"}=${value}`;

Deno.test("readIniLines() gives each value as it is written, with its line and section", () => {
  const lines = [
    "\uFEFFa = 007",
    "# comment",
    "; comment",
    "",
    "[s]",
    "  b=c = d ; e  ",
    'quoted = " 12 "',
    "empty =",
    "no = null",
    "[ t ]",
    "a=1",
    "a=2",
    "__proto__ = x",
    "constructor = y",
  ];
  for (const end of ["\n", "\r\n", "\r"]) {
    const read = readIniLines(lines.join(end)) as readonly IniLine[];
    assertEquals(read.map(show), [
      "1 [] a=007",
      "5 [s] -=",
      "6 [s] b=c = d ; e",
      "7 [s] quoted=12",
      "8 [s] empty=",
      "9 [s] no=null",
      "10 [t] -=",
      "11 [t] a=1",
      "12 [t] a=2",
      "13 [t] __proto__=x",
      "14 [t] constructor=y",
    ]);
  }
});

Deno.test("readIniLines() says which line is not INI", () => {
  for (const wrong of ["[s", "[]", "[ ]", "word", "= value"]) {
    assertEquals(readIniLines(`a=1\n\n${wrong}\nb=2`), { line: 3 });
  }
  assertEquals(readIniLines(""), []);
});
