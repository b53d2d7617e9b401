import { assertEquals } from "@std/assert";
import { resourcesOf } from "@hpk/core";
import { formatGarbage, type GarbageReport, hasErrors } from "./garbage_report.ts";

const ID = "0123456789ab";
const ALL = `/f, lease of ${ID}, namespace hpk-${ID}, link hpk${ID}`;

const IMAGES = [{ path: "/a", bytes: 1e6 }, { path: "/b", bytes: 2e6 }];

const report = (change: Partial<GarbageReport>, errors: string[] = []): GarbageReport => ({
  version: 1,
  dryRun: false,
  reclaimed: [{ id: ID, name: "web", resources: resourcesOf(ID, "/f"), errors }],
  errors: [],
  images: [],
  unused: [],
  repaired: [],
  ...change,
});

Deno.test("formatGarbage() reports what was, or would be, cleaned up", () => {
  const cases: [GarbageReport, string][] = [
    [report({ reclaimed: [] }), "nothing to clean up\n"],
    [report({ reclaimed: [], dryRun: true }), "nothing to clean up\n"],
    [report({}), `cleaned up web: ${ALL}\n`],
    [report({ dryRun: true }), `would clean up web: ${ALL}\n`],
    [report({ reclaimed: [], repaired: ["monitor"] }), "repaired: monitor\n"],
    [report({}, ["busy", "odd"]), `cleaned up web: ${ALL}\n  failed: busy\n  failed: odd\n`],
    [report({ reclaimed: [], errors: ["bridge busy"] }), "failed: bridge busy\n"],
    [
      report({ reclaimed: [], unused: ["br"], dryRun: true }),
      "would clean up the bridge br, which no container uses\n",
    ],
    [report({ reclaimed: [], images: IMAGES }), "removed what no image needs: 3 MB\n"],
    [
      report({ images: IMAGES, dryRun: true }),
      `would clean up web: ${ALL}\nwould remove what no image needs: 3 MB\n`,
    ],
  ];
  for (const [given, expected] of cases) assertEquals(formatGarbage(given), expected);
});

Deno.test("hasErrors() holds for an error of a container or of what all share", () => {
  const cases: [GarbageReport, boolean][] = [
    [report({ reclaimed: [] }), false],
    [report({}), false],
    [report({}, ["busy"]), true],
    [report({ errors: ["bridge busy"] }), true],
  ];
  for (const [given, expected] of cases) assertEquals(hasErrors(given), expected);
});
