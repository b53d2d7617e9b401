import { assertEquals, assertMatch } from "@std/assert";
import { missingRootCapabilities } from "./capabilities.ts";

Deno.test("missingRootCapabilities() returns those that this process's bounding set lacks", () => {
  const missing = missingRootCapabilities();
  for (const name of missing) assertMatch(name, /^CAP_[A-Z_]+$/);
  const bounding = /^CapBnd:\s*(\w+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1];
  const bits = BigInt(`0x${bounding}`).toString(2).replaceAll("0", "").length;
  const all = Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap")) + 1;
  assertEquals(missing.length, all - bits);
});
