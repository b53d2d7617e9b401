import { assertEquals } from "@std/assert";
import { readVersion } from "./semver.ts";

Deno.test("readVersion() finds a version and compares major and minor", () => {
  const cases: [string, readonly [number, number], ReturnType<typeof readVersion>][] = [
    ["apptainer version 1.4.5-1.el9", [1, 2], { version: "1.4.5", enough: true }],
    ["apptainer version 1.2.0", [1, 2], { version: "1.2.0", enough: true }],
    ["apptainer version 1.1.9", [1, 2], { version: "1.1.9", enough: false }],
    ["apptainer version 1.10.0", [1, 2], { version: "1.10.0", enough: true }],
    ["apptainer version 2.0", [1, 2], { version: "2.0", enough: true }],
    ["apptainer version 0.9.9", [1, 2], { version: "0.9.9", enough: false }],
    ["ip utility, iproute2-6.1.0, libbpf 1.1.0", [5, 0], { version: "6.1.0", enough: true }],
    ["apptainer version unknown", [1, 2], undefined],
    ["7", [1, 2], undefined],
    ["", [1, 2], undefined],
  ];
  for (const [text, least, expected] of cases) assertEquals(readVersion(text, least), expected);
});
