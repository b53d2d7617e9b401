import { assertEquals } from "@std/assert";
import { ROOMS } from "./layer_rules.ts";

const root = new URL("../", import.meta.url);

/** The rows of the table of rooms in ARCHITECTURE.md: level, room, and where its tests are. */
const rows = [
  ...Deno.readTextFileSync(new URL("ARCHITECTURE.md", root))
    .matchAll(/^\| +(\d+) +\| +`([^`]+)` +\|.*\|([^|]*)\|$/gm),
].map(([, level, room, tests]) => ({ level: Number(level), room: room!, tests: tests! }));

Deno.test("ARCHITECTURE.md gives each room the level that the gate gives it", () => {
  const named = new Set(ROOMS.flat());
  const runtimes = [...Deno.readDirSync(new URL("packages/hpktainer/src/runtimes", root))]
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => `runtimes/${name}`);
  const expected = ROOMS.flatMap((rooms, index) =>
    rooms.flatMap((room) =>
      room === "runtimes/*" ? runtimes.filter((each) => !named.has(each)) : [room]
    ).map((room) => `${index + 1} ${room}`)
  );
  assertEquals(rows.map(({ level, room }) => `${level} ${room}`).sort(), expected.sort());
});

Deno.test("ARCHITECTURE.md names directories of tests that there are", () => {
  const named = rows.flatMap(({ tests }) =>
    [...tests.matchAll(/`([^`]+)`/g)].map(([, path]) => path!)
  );
  const missing = named.filter((path) => {
    const entries = [...Deno.readDirSync(new URL(path, root))];
    return !entries.some(({ name }) => name.endsWith("_test.ts"));
  });
  assertEquals(missing, []);
});
