import { assertEquals } from "@std/assert";
import { anchorsOf, checkPages, commandsOf, unknownMessages } from "./doc_rules.ts";

const FILES = ["README.md", "docs", "docs/a.md", "docs/b.png", "packages/core/src/os/files.ts"];

function problems(text: string, path = "docs/a.md"): string[] {
  return checkPages([{ path, text }, { path: "README.md", text: "# The name\n" }], FILES);
}

Deno.test("checkPages() finds links without a file, and headings that do not exist", () => {
  const cases: [string, string[]][] = [
    ["[a](../README.md) ![b](b.png) [c](https://example.org/x.md) [d](mailto:a@b.c)", []],
    ["[a](../README.md#the-name) [b](#here)\n\n## Here", []],
    ["[a](/docs/b.png) [b](../docs)", []],
    ["`[a](none.md)` in text", [
      "docs/a.md:1: none.md: no such file: correct the link or write the page",
    ]],
    ["```sh\n[a](none.md)\n```\n\n[b](c.md)", [
      "docs/a.md:5: c.md: no such file: correct the link or write the page",
    ]],
    ["[a]: d.md", ["docs/a.md:1: d.md: no such file: correct the link or write the page"]],
    ["[a](../README.md#x)", ["docs/a.md:1: ../README.md#x: no such heading: correct the link"]],
    ["[a](../../x.md)", [
      "docs/a.md:1: ../../x.md: it is outside of the project: link to a file of the project",
    ]],
    ['<img src="e.svg">', ["docs/a.md:1: e.svg: no such file: correct the link or write the page"]],
  ];
  for (const [text, expected] of cases) assertEquals(problems(text), expected, text);
});

Deno.test("checkPages() finds source files that do not exist", () => {
  assertEquals(problems("`core/src/os/files.ts`, `files.ts`, `os/files.ts`"), []);
  assertEquals(problems("see `core/src/os/file.ts`"), [
    "docs/a.md:1: core/src/os/file.ts: no such source file: name the present one",
  ]);
});

Deno.test("anchorsOf() makes anchors as GitHub does", () => {
  const text = "# `a` and B's: c\n## Twice\n## Twice\n```\n# no\n```\n### [x](y.md) Ü_1 - 2\n";
  assertEquals([...anchorsOf(text)], ["a-and-bs-c", "twice", "twice-1", "x-ü_1---2"]);
});

Deno.test("unknownMessages() finds quoted messages that no source has", () => {
  const sources = ['what: `cannot use ${x}`,\nwhy: "it is " +\n  "in use",\nfix: "choose another"'];
  const page = (message: string) => `# A\n\n\`\`\`\n${message}\n\`\`\`\n`;
  assertEquals(unknownMessages(page("cannot use …: it is in use; choose another"), sources), []);
  assertEquals(unknownMessages(page("cannot use …: it is gone; choose another"), sources), [
    "it is gone",
  ]);
});

Deno.test("commandsOf() finds command lines in blocks and in text", () => {
  const text = [
    "See `hpktainer port`.",
    "| `hpktainer ps`, `hpktainer run …` | `gzip -cd a \\| hpktainer run -i alpine wc` |",
    "```sh\nsudo hpktainer exec a.sif sh -c 'b  c' # says it\nhpktainer gc && hpktainer ps | jq .\n```",
    "```console\nhpktainer nothing\n```",
  ].join("\n");
  assertEquals(commandsOf(text, "hpktainer").map((words) => words.join("|")), [
    "exec|a.sif|sh|-c|b  c",
    "gc",
    "ps",
    "ps",
    "run|-i|alpine|wc",
  ]);
});
