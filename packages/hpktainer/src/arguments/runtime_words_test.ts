import { assertEquals } from "@std/assert";
import { asksForRuntime, isDockerLike } from "./runtime_words.ts";

Deno.test("asksForRuntime() is true by the program's name, an option, or the environment", () => {
  const cases: [string, string | undefined, boolean][] = [
    ["hpktainer run image.sif", undefined, false],
    ["hpktainer run image.sif", "", false],
    ["hpktainer run image.sif", "crun", true],
    ["hpktainer run --runtime crun image", undefined, true],
    ["hpktainer run --runtime=crun image", undefined, true],
    ["/usr/local/bin/crungo run image", undefined, true],
    ["crungo", undefined, true],
    ["", undefined, false],
  ];
  for (const [line, preferred, expected] of cases) {
    assertEquals(asksForRuntime(line.split(" "), preferred), expected, line);
  }
});

Deno.test("isDockerLike() checks the last part of the path", () => {
  assertEquals(["crungo", "/a/crungo", "crungo2", "/crungo/a"].map(isDockerLike), [
    ...[true, true, false, false],
  ]);
});
