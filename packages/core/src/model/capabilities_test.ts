import { assertEquals } from "@std/assert";
import { missingCapabilities } from "./capabilities.ts";

const status = (bounding: string) => `Name:\tx\nCapInh:\t0\nCapBnd:\t${bounding}\nCapAmb:\t0\n`;

/** Number of CAP_CHECKPOINT_RESTORE, the last one of Linux 5.9 and newer (linux/capability.h). */
const LAST = 40;

Deno.test("missingCapabilities() names the capabilities that the bounding set lacks", () => {
  const cases: [string, string, number, string[]][] = [
    ["an ordinary host", "000001ffffffffff", LAST, []],
    ["a container without SYS_RESOURCE", "000001fffeffffff", LAST, ["CAP_SYS_RESOURCE"]],
    ["the first and the last", "000000fffffffffe", LAST, [
      "CAP_CHOWN",
      "CAP_CHECKPOINT_RESTORE",
    ]],
    ["an older kernel, whose last is BLOCK_SUSPEND", "0000001fffffffff", 36, []],
    ["a newer kernel with unknown bits", "ffffffffffffffff", 63, []],
  ];
  for (const [what, bounding, last, expected] of cases) {
    assertEquals(missingCapabilities(status(bounding), last), expected, what);
  }
});

Deno.test("missingCapabilities() names all of an empty bounding set in order", () => {
  const all = missingCapabilities(status("0000000000000000"), LAST);
  assertEquals([all.length, all[12], all[21], all[24]], [
    41,
    "CAP_NET_ADMIN",
    "CAP_SYS_ADMIN",
    "CAP_SYS_RESOURCE",
  ]);
});

Deno.test("missingCapabilities() returns nothing for a status that it cannot read", () => {
  for (const text of ["", "CapEff:\t0\n", "CapBnd:\tgarbage\n"]) {
    assertEquals(missingCapabilities(text, LAST), []);
  }
});
