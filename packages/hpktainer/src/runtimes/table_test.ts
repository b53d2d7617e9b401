import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { type Caller, NO_STREAMS } from "../shared/pure/caller.ts";
import { preferredRuntime, RUNTIME_NAMES, runtimeNamed, verbOf } from "./table.ts";

Deno.test("preferredRuntime() is HPK_RUNTIME, unless that is Apptainer", () => {
  const cases: [value: string | undefined, expected: string][] = [
    [undefined, RUNTIME_NAMES[0]!],
    ["", RUNTIME_NAMES[0]!],
    ["apptainer", RUNTIME_NAMES[0]!],
    ["other", "other"],
  ];
  for (const [value, expected] of cases) {
    const caller: Caller = {
      uid: 0,
      gid: 0,
      environment: value === undefined ? {} : { HPK_RUNTIME: value },
      directory: "/",
      process: { pid: 1, startTime: 0, bootId: "" },
      streams: NO_STREAMS,
    };
    assertEquals(preferredRuntime(caller), expected);
  }
});

Deno.test("a runtime that is not known is refused by name, with those that are", async () => {
  assertThrows(
    () => runtimeNamed("nosuch"),
    HpkError,
    "it is not known; use one of apptainer, crun",
  );
  assertThrows(
    () => runtimeNamed("apptainer"),
    HpkError,
    "Apptainer's own images only; use one of",
  );
  await assertRejects(() => verbOf("nosuch", "exec"), HpkError, "'nosuch'");
});
