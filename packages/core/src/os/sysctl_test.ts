import { assertEquals, assertMatch } from "@std/assert";
import { readForwarding, writeForwarding } from "./sysctl.ts";

/**
 * Runs a function with writes recorded instead of executed, since the machine must not be changed.
 */
function writesOf(run: () => void): unknown[][] {
  const write = Deno.writeTextFileSync;
  const notes: unknown[][] = [];
  Deno.writeTextFileSync = (...args) => void notes.push(args);
  try {
    run();
  } finally {
    Deno.writeTextFileSync = write;
  }
  return notes;
}

Deno.test("readForwarding() returns the kernel's setting", () => {
  assertMatch(readForwarding(), /^[01]$/);
});

Deno.test("writeForwarding() writes only a different value", () => {
  const current = readForwarding();
  const other = current === "1" ? "0" : "1";
  assertEquals(writesOf(() => writeForwarding(current)), []);
  assertEquals(writesOf(() => writeForwarding(other)), [["/proc/sys/net/ipv4/ip_forward", other]]);
});
