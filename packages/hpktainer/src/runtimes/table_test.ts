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

Deno.test("an unknown runtime is refused by name, and the known ones are listed", async () => {
  assertThrows(
    () => runtimeNamed("nosuch"),
    HpkError,
    "it is unknown; use one of apptainer, crun",
  );
  assertThrows(
    () => runtimeNamed("apptainer"),
    HpkError,
    "it only runs Apptainer's own images; use one of",
  );
  await assertRejects(() => verbOf("nosuch", "exec"), HpkError, "'nosuch'");
});
