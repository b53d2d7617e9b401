import { assertEquals, assertMatch } from "@std/assert";
import { checkLayers, importsOf, withoutComments } from "./check_layers.ts";

const lines = (count: number): string => "x;\n".repeat(count);

const ALLOWED: [path: string, text: string][] = [
  ["packages/core/src/model/a.ts", 'import { b } from "./b.ts";'],
  ["packages/core/src/model/a.ts", 'import { parse } from "@std/ini";'],
  ["packages/core/src/model/a.ts", "// Deno.exit() is not used here"],
  ["packages/core/src/model/a_test.ts", 'import { b } from "../os/b.ts"; Deno.test("a", b);'],
  ["packages/core/src/os/a.ts", 'import { b } from "../ffi/mod.ts"; Deno.readTextFile("x");'],
  ["packages/core/src/ffi/a.ts", 'import { E } from "../model/errors.ts"; Deno.dlopen("libc");'],
  ["packages/core/mod.ts", 'export * from "./src/model/a.ts";'],
  ["packages/hpktainer/src/run.ts", 'import { b } from "./pure/b.ts"; import "@hpk/core/os";'],
  ["packages/hpktainer/src/pure/a.ts", 'import { b } from "@hpk/core";'],
  ["packages/hpktainer/src/cli/a.ts", 'import { b } from "../run.ts"; Deno.exit(1);'],
  ["packages/hpktainer/src/a.ts", 'import { b } from "./_b.ts";'],
  ["packages/hpktainer/main.ts", 'import { b } from "./src/cli/mod.ts"; b(Deno.args);'],
  ["packages/hpktainer/src/a.ts", lines(400)],
  ["scripts/build.ts", "Deno.exit(1);"],
];

const FORBIDDEN: [path: string, text: string, problem: RegExp][] = [
  ["packages/core/src/model/a.ts", 'import "../os/b.ts";', /model imports model only/],
  ["packages/core/src/model/a.ts", 'import x from "node:fs";', /pure code imports/],
  ["packages/core/src/model/a.ts", 'Deno.env.get("X");', /mentions Deno/],
  ["packages/core/src/ffi/a.ts", 'import "../os/b.ts";', /ffi imports ffi, model only/],
  ["packages/core/src/ffi/a.ts", 'import "../model/b.ts";', /errors\.ts only/],
  ["packages/core/src/os/a.ts", 'Deno.dlopen("libc.so.6", {});', /calls Deno\.dlopen/],
  ["packages/core/src/os/a.ts", "Deno.exit(1);", /uses Deno\.exit/],
  ["packages/core/src/os/a.ts", 'import "@hpk/core";', /itself by relative paths/],
  ["packages/hpktainer/src/a.ts", 'import "./cli/b.ts";', /not the other way/],
  ["packages/hpktainer/src/a.ts", "const a = Deno.args;", /uses Deno\.args/],
  ["packages/hpktainer/src/a.ts", 'import "../main.ts";', /nothing imports main/],
  ["packages/hpktainer/src/a.ts", 'import "./a_test.ts";', /tests only/],
  ["packages/hpktainer/src/a.ts", 'import "./pure/_b.ts";', /private/],
  ["packages/hpktainer/src/a_test.ts", 'import "./pure/_b.ts";', /private/],
  ["packages/hpktainer/src/a.ts", 'import "@hpk/net-daemon";', /only core/],
  ["packages/hpktainer/src/a.ts", 'import "@hpk/core/src/os/a.ts";', /only core/],
  ["packages/hpktainer/src/a.ts", 'import "../../core/mod.ts";', /another package/],
  ["packages/hpktainer/src/a.ts", 'await import("../../core/mod.ts");', /another package/],
  ["packages/hpktainer/src/pure/a.ts", 'import "../run.ts";', /pure code imports pure/],
  ["packages/hpktainer/src/pure/a.ts", 'import "@hpk/core/os";', /of core, pure code imports/],
  ["packages/hpktainer/src/plan_model.ts", "Deno.pid;", /mentions Deno/],
  ["packages/hpktainer/main.ts", lines(31), /31 lines, at most 30/],
  ["scripts/a.ts", lines(401), /401 lines, at most 400/],
];

Deno.test("checkLayers() accepts what the arrows allow", () => {
  for (const [path, text] of ALLOWED) assertEquals(checkLayers([{ path, text }]), []);
});

Deno.test("checkLayers() names each violation once, with its file", () => {
  for (const [path, text, problem] of FORBIDDEN) {
    const found = checkLayers([{ path, text }]);
    assertEquals(found.length, 1, `${path}: ${text} gave ${JSON.stringify(found)}`);
    assertMatch(found[0] ?? "", problem);
    assertEquals(found[0]?.startsWith(`${path}: `), true);
  }
});

Deno.test("importsOf() finds every form of import and nothing in comments", () => {
  const text = `
    import "./a.ts"; // import "./no.ts";
    import type { B } from './b.ts';
    import {
      c,
    } from "./c.ts";
    export * from "./d.ts"; /* export * from "./no.ts"; */
    const e = await import("./e.ts");
    const url = "https://example.org/"; import "./f.ts";
  `;
  assertEquals(importsOf(text), ["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts"]);
});

Deno.test("withoutComments() keeps what only looks like a comment", () => {
  assertEquals(withoutComments('a("//x"); // y'), 'a("//x");  ');
  assertEquals(withoutComments("`/* x */` /* y */"), "`/* x */`  ");
});
