import { assertEquals } from "@std/assert";
import { mayBeServed } from "./start_order.ts";

Deno.test("mayBeServed() is true for what may start a container in the foreground", () => {
  const cases: [string, boolean][] = [
    ["run image.sif", true],
    ["--network static exec image.sif true", true],
    ["-q shell image.sif", true],
    ["pull run", true],
    ["exec instance://web true", false],
    ["inspect image.sif", false],
    ["ps --json", false],
    ["", false],
  ];
  for (const [line, expected] of cases) assertEquals(mayBeServed(line.split(" ")), expected, line);
});
