import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { readDockerLike, readRuntime } from "./runtime_choice.ts";

Deno.test("--runtime before the image chooses the runtime, else the environment does", () => {
  const cases: [line: string, preferred: string | undefined, expected: "other" | "apptainer"][] = [
    ["run --runtime crun alpine", undefined, "other"],
    ["run -it -v /a:/b --runtime=crun alpine", undefined, "other"],
    ["run image.sif --runtime crun", undefined, "apptainer"],
    ["run alpine", "crun", "other"],
    ["run --runtime apptainer image.sif", "crun", "apptainer"],
    ["--network none run --runtime crun alpine", undefined, "other"],
    ["exec image.sif true", "crun", "apptainer"],
    ["run -it --name web alpine", "crun", "other"],
  ];
  for (const [line, preferred, expected] of cases) {
    const found = readRuntime(line.split(" "), preferred, []);
    assertEquals(found.kind === "runtime" ? "other" : "apptainer", expected, line);
  }
  assertEquals(readRuntime("--network none run --runtime crun x".split(" "), undefined, []), {
    kind: "runtime",
    words: ["--network", "none", "--runtime", "crun", "x"],
  });
});

Deno.test("--debug before the command is for every runtime", () => {
  for (const line of ["--debug run --runtime crun x", "--network none -d run --runtime=crun x"]) {
    const found = readRuntime(line.split(" "), undefined, []);
    const words = line.split(" ").filter((word) => !["--debug", "-d", "run"].includes(word));
    assertEquals(found, { kind: "runtime", words });
  }
  const found = readRuntime("--debug run --runtime apptainer x".split(" "), "crun", []);
  assertEquals(found.kind === "container" && found.globals, ["--debug"]);
});

Deno.test("crungo has Docker's commands", () => {
  const cases: [line: string, expected: unknown][] = [
    ["run -it alpine sh", { kind: "runtime", words: ["-it", "alpine", "sh"] }],
    ["ps -a", { kind: "own", args: ["container", "ps", "-a"] }],
    ["exec web ls", { kind: "own", args: ["container", "exec", "web", "ls"] }],
    ["images", { kind: "own", args: ["images"] }],
    ["pull alpine", { kind: "own", args: ["image", "pull", "alpine"] }],
    ["--version", { kind: "version" }],
  ];
  for (const [line, expected] of cases) {
    assertEquals<unknown>(readDockerLike(line.split(" "), ["ps", "exec"]), expected, line);
  }
  assertThrows(() => readDockerLike(["swarm"], []), HpkError, "crungo has no such command");
});
