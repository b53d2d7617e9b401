import { assert, assertEquals } from "@std/assert";
import {
  CONTAINER_LETTERS,
  CONTAINER_OPTIONS,
  GLOBAL_LETTERS,
  GLOBAL_OPTIONS,
  type OptionTable,
} from "./apptainer_options.ts";
import { networkOption } from "./network_options.ts";

Deno.test("every letter stands for a known option", () => {
  const tables: [ReadonlyMap<string, string>, OptionTable][] = [
    [GLOBAL_LETTERS, GLOBAL_OPTIONS],
    [CONTAINER_LETTERS, CONTAINER_OPTIONS],
  ];
  for (const [letters, options] of tables) {
    for (const [letter, name] of letters) {
      assertEquals(letter.length, 1);
      assert(options.has(name), `-${letter} is --${name}`);
    }
  }
});

Deno.test("options take a value or not, as in Apptainer", () => {
  const valued = "bind env env-file home hostname overlay pid-file pwd scratch security workdir";
  for (const name of valued.split(" ")) assertEquals(CONTAINER_OPTIONS.get(name), true, name);
  const boolean = "boot cleanenv contain containall fakeroot net nv userns writable writable-tmpfs";
  for (const name of boolean.split(" ")) assertEquals(CONTAINER_OPTIONS.get(name), false, name);
  assertEquals(GLOBAL_OPTIONS.get("config"), true);
  assertEquals(GLOBAL_OPTIONS.get("debug"), false);
});

Deno.test("no letter of Apptainer stands for one of our options", () => {
  for (const name of CONTAINER_LETTERS.values()) assert(networkOption(name) === undefined, name);
});
