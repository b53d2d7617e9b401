import { assertRejects } from "@std/assert";
import { HpkError } from "@hpk/core";
import { takeDownContainer } from "../take_down.ts";
import { engineNamed } from "./table.ts";

Deno.test("a container of an unknown runtime is an error", async () => {
  for (const name of ["none", "", "toString", "__proto__"]) {
    await assertRejects(
      () => takeDownContainer(name, "0123456789ab"),
      HpkError,
      `cannot manage a container of the runtime '${name}'`,
    );
  }
  await engineNamed("crun");
});
