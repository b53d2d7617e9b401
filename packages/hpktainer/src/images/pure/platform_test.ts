import { assertEquals, assertThrows } from "@std/assert";
import { HpkError } from "@hpk/core";
import { formatPlatform, hostPlatform, parsePlatform, platformFit } from "./platform.ts";

Deno.test("a platform is read by all its common names", () => {
  const cases: Record<string, string> = {
    "linux/amd64": "linux/amd64",
    "linux/x86_64": "linux/amd64",
    "Linux/AMD64": "linux/amd64",
    "linux/amd64/v1": "linux/amd64",
    "linux/amd64/v3": "linux/amd64/v3",
    "arm64": "linux/arm64",
    "aarch64": "linux/arm64",
    "linux/arm64/v8": "linux/arm64",
    "linux/arm/v7": "linux/arm/v7",
    "armhf": "linux/arm/v7",
    "linux/riscv64": "linux/riscv64",
  };
  for (const [text, platform] of Object.entries(cases)) {
    assertEquals(formatPlatform(parsePlatform(text)), platform, text);
  }
});

Deno.test("a platform of another system, or a malformed one, is refused", () => {
  for (const text of ["", "/", "linux/", "linux/arm/v7/x", "linux/a b", "windows/amd64", "--all"]) {
    assertThrows(() => parsePlatform(text), HpkError, "linux/arm64", text);
  }
});

Deno.test("an image fits its own platform best, and newer variants", () => {
  const fit = (wanted: string, actual: string) =>
    platformFit(parsePlatform(wanted), parsePlatform(actual));
  assertEquals(fit("linux/amd64", "linux/amd64"), Infinity);
  assertEquals(fit("linux/arm64", "linux/arm64/v8"), Infinity);
  assertEquals(fit("linux/arm/v7", "linux/arm/v7"), Infinity);
  assertEquals(fit("linux/arm/v7", "linux/arm/v6"), 6);
  assertEquals(fit("linux/arm/v6", "linux/arm/v7"), undefined);
  assertEquals(fit("linux/arm", "linux/arm/v7"), 0);
  assertEquals(fit("linux/arm/v7", "linux/arm"), -1);
  assertEquals(fit("linux/amd64", "linux/arm64"), undefined);
});

Deno.test("a host's architecture is a platform", () => {
  assertEquals(formatPlatform(hostPlatform("x86_64")), "linux/amd64");
  assertEquals(formatPlatform(hostPlatform("aarch64")), "linux/arm64");
});
