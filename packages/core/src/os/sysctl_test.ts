import { assertEquals, assertMatch } from "@std/assert";
import { readForwarding, writeForwarding } from "./sysctl.ts";

/** Runs something with writing replaced by taking notes, since the machine must not be changed. */
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

Deno.test("readForwarding() is the kernel's setting", () => {
  assertMatch(readForwarding(), /^[01]$/);
});

Deno.test("writeForwarding() writes only a value that is not there already", () => {
  const current = readForwarding();
  const other = current === "1" ? "0" : "1";
  assertEquals(writesOf(() => writeForwarding(current)), []);
  assertEquals(writesOf(() => writeForwarding(other)), [["/proc/sys/net/ipv4/ip_forward", other]]);
});
