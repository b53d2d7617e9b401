import { assertEquals, assertMatch } from "@std/assert";
import { checkModules, circlesOf, type Module, roomOf, withoutComments } from "./layer_rules.ts";

const HPK = "packages/hpktainer/src";
const lines = (count: number): string => "x;\n".repeat(count);

/** A module with one import, or none; a relative specifier is resolved. */
function moduleOf(path: string, specifier: string, text = ""): Module {
  const target = specifier.startsWith(".")
    ? new URL(specifier, `file:///${path}`).pathname.slice(1)
    : undefined;
  return { path, text, imports: specifier === "" ? [] : [{ specifier, target }] };
}

const ALLOWED: [path: string, specifier: string, text?: string][] = [
  ["packages/core/src/model/a.ts", "./b.ts"],
  ["packages/core/src/model/a.ts", "@std/ini"],
  ["packages/core/src/model/a.ts", "", "// Deno.exit() is not used here"],
  ["packages/core/src/model/a_test.ts", "../os/b.ts"],
  ["packages/core/src/os/a.ts", "../ffi/mod.ts", 'Deno.readTextFile("x");'],
  ["packages/core/src/ffi/a.ts", "../model/errors.ts", 'Deno.dlopen("libc");'],
  ["packages/core/mod.ts", "./src/model/a.ts"],
  [`${HPK}/ports/run.ts`, "./pure/b.ts"],
  [`${HPK}/ports/run.ts`, "@hpk/core/os"],
  [`${HPK}/ports/run.ts`, "../network/b.ts"],
  [`${HPK}/ports/run.ts`, "./_b.ts"],
  [`${HPK}/ports/pure/a.ts`, "@hpk/core"],
  [`${HPK}/ports/pure/a.ts`, "../../arguments/b.ts"],
  [`${HPK}/ports/a_test.ts`, "../cli/b.ts"],
  [`${HPK}/ports/a_test.ts`, "@hpk/core/testing"],
  [`${HPK}/runtimes/table.ts`, "./crun/crun.ts"],
  [`${HPK}/runtimes/new/new.ts`, "../../attach/a.ts"],
  [`${HPK}/runtimes/table.ts`, "./new/new.ts"],
  [`${HPK}/containers/engines/table.ts`, "../../runtimes/new/engine.ts"],
  [`${HPK}/runtimes/new/engine.ts`, "../../containers/paths.ts"],
  [`${HPK}/runtimes/new/new.ts`, "./engine.ts"],
  [`${HPK}/cli/a.ts`, "../admin/a.ts", "Deno.exit(1);"],
  [`${HPK}/cli/a.ts`, "", "Deno.env.toObject(); Deno.cwd();"],
  [`${HPK}/monitor/a.ts`, "", "thisProcess();"],
  [`${HPK}/attach/teardown.ts`, "", "thisProcess();"],
  [`${HPK}/ports/a.ts`, "", "// Deno.uid() is the caller's"],
  ["packages/hpktainer/main.ts", "", "Deno.uid();"],
  ["packages/hpktainer/main.ts", "./src/cli/mod.ts", "b(Deno.args);"],
  ["packages/host-setup/src/cli/a.ts", "../a.ts"],
  [`${HPK}/ports/a.ts`, "", lines(400)],
  ["scripts/build.ts", "", "Deno.exit(1);"],
];

const FORBIDDEN: [path: string, specifier: string, text: string, problem: RegExp][] = [
  ["packages/core/src/model/a.ts", "../os/b.ts", "", /model imports model only/],
  ["packages/core/src/model/a.ts", "node:fs", "", /pure code imports/],
  ["packages/core/src/model/a.ts", "", 'Deno.env.get("X");', /mentions Deno/],
  ["packages/core/src/ffi/a.ts", "../os/b.ts", "", /ffi imports ffi, model only/],
  ["packages/core/src/ffi/a.ts", "../model/b.ts", "", /errors\.ts only/],
  ["packages/core/src/os/a.ts", "", 'Deno.dlopen("libc.so.6", {});', /calls Deno\.dlopen/],
  ["packages/core/src/os/a.ts", "", "Deno.exit(1);", /uses Deno\.exit/],
  ["packages/core/src/os/a.ts", "@hpk/core", "", /itself by relative paths/],
  ["packages/host-setup/src/a.ts", "./cli/b.ts", "", /not the other way/],
  [`${HPK}/ports/a.ts`, "../attach/b.ts", "", /attach is not on a lower level than ports/],
  [`${HPK}/ports/a.ts`, "../containers/b.ts", "", /containers is not on a lower level/],
  [`${HPK}/runtimes/crun/a.ts`, "../table.ts", "", /runtimes is not on a lower level/],
  [`${HPK}/runtimes/new/engine.ts`, "./new.ts", "", /runtimes\/new is not on a lower level/],
  [`${HPK}/runtimes/new/engine.ts`, "../../attach/a.ts", "", /attach is not on a lower level/],
  [`${HPK}/runtimes/new/new.ts`, "../crun/crun.ts", "", /runtimes\/crun is not on a lower level/],
  [`${HPK}/ports/a.ts`, "../attic/b.ts", "", /attic has no level/],
  [`${HPK}/ports/a.ts`, "", "const a = Deno.args;", /uses Deno\.args/],
  [`${HPK}/ports/a.ts`, "", "const a = Deno.uid();", /uses Deno\.uid: take it from the Caller/],
  [`${HPK}/images/a.ts`, "", "f(Deno.env);", /uses Deno\.env: take it from the Caller/],
  [`${HPK}/runtimes/crun/a.ts`, "", "Deno.stdout.writeSync(a);", /uses Deno\.stdout/],
  [`${HPK}/attach/a.ts`, "", "thisProcess();", /uses thisProcess/],
  [`${HPK}/ports/a.ts`, "../../main.ts", "", /nothing imports main/],
  [`${HPK}/ports/a.ts`, "./a_test.ts", "", /tests only/],
  [`${HPK}/ports/a.ts`, "@hpk/core/testing", "", /only core/],
  [`${HPK}/ports/a.ts`, "./pure/_b.ts", "", /private/],
  [`${HPK}/ports/a_test.ts`, "./pure/_b.ts", "", /private/],
  [`${HPK}/ports/a.ts`, "@hpk/net-daemon", "", /only core/],
  [`${HPK}/ports/a.ts`, "@hpk/core/src/os/a.ts", "", /only core/],
  [`${HPK}/ports/a.ts`, "../../../core/mod.ts", "", /another package/],
  [`${HPK}/ports/pure/a.ts`, "../run.ts", "", /pure code imports pure/],
  [`${HPK}/ports/pure/a.ts`, "@hpk/core/os", "", /of core, pure code imports/],
  [`${HPK}/arguments/a.ts`, "", "Deno.pid;", /mentions Deno/],
  ["packages/hpktainer/main.ts", "", lines(31), /31 lines, at most 30/],
  ["scripts/a.ts", "", lines(401), /401 lines, at most 400/],
];

Deno.test("checkModules() accepts imports that the levels allow", () => {
  for (const [path, specifier, text] of ALLOWED) {
    assertEquals(checkModules([moduleOf(path, specifier, text)], [path]), []);
  }
});

Deno.test("checkModules() reports each violation once, with its file", () => {
  for (const [path, specifier, text, problem] of FORBIDDEN) {
    const found = checkModules([moduleOf(path, specifier, text)], [path]);
    assertEquals(found.length, 1, `${path}: ${specifier}${text} gave ${JSON.stringify(found)}`);
    assertMatch(found[0] ?? "", problem);
    assertEquals(found[0]?.startsWith(`${path}: `), true);
  }
});

Deno.test("checkModules() reports circles of files, including type and lazy imports", () => {
  const modules = [
    moduleOf(`${HPK}/ports/a.ts`, "./b.ts"),
    moduleOf(`${HPK}/ports/b.ts`, "./c.ts"),
    moduleOf(`${HPK}/ports/c.ts`, "./a.ts"),
  ];
  assertEquals(checkModules(modules, [`${HPK}/ports/a.ts`]), [
    `${HPK}/ports/a.ts: is in a circle of 3 files: ` +
    `${HPK}/ports/a.ts, ${HPK}/ports/b.ts, ${HPK}/ports/c.ts: cut one import`,
  ]);
});

Deno.test("checkModules() reports modules that no program reaches, except tests", () => {
  const modules = [
    moduleOf("packages/hpktainer/main.ts", "./src/cli/a.ts"),
    moduleOf(`${HPK}/cli/a.ts`, "../admin/b.ts"),
    moduleOf(`${HPK}/admin/b.ts`, ""),
    moduleOf(`${HPK}/admin/c.ts`, ""),
    moduleOf(`${HPK}/admin/c_test.ts`, "./c.ts"),
  ];
  assertEquals(checkModules(modules, ["packages/hpktainer/main.ts"]), [
    `${HPK}/admin/c.ts: no program reaches it: use it or remove it`,
  ]);
});

Deno.test("circlesOf() separates circles that share nothing", () => {
  const graph = new Map([
    ["a", ["b", "x"]],
    ["b", ["a", "c"]],
    ["c", ["d"]],
    ["d", ["c"]],
    ["x", ["x"]],
  ]);
  assertEquals(circlesOf(graph), [["c", "d"], ["a", "b"]]);
  assertEquals(circlesOf(new Map()), []);
});

Deno.test("roomOf() is a directory, and one of the runtimes", () => {
  assertEquals(roomOf(`${HPK}/ports/pure/a.ts`), "ports");
  assertEquals(roomOf(`${HPK}/runtimes/table.ts`), "runtimes");
  assertEquals(roomOf(`${HPK}/runtimes/crun/pure/a.ts`), "runtimes/crun");
});

Deno.test("withoutComments() keeps text that only looks like a comment", () => {
  assertEquals(withoutComments('a("//x"); // y'), 'a("//x");  ');
  assertEquals(withoutComments("`/* x */` /* y */"), "`/* x */`  ");
});
