import { assertEquals, assertStringIncludes } from "@std/assert";
import { NETWORK_OPTIONS } from "../../arguments/network_options.ts";
import { mainHelp } from "./help.ts";

Deno.test("mainHelp() names the version, every command but hidden ones, and every option", () => {
  const help = mainHelp("1.2.3", [
    { name: "show", summary: "show one", arguments: [{ name: "NAME" }] },
    { name: "port", summary: "change ports", commands: [] },
    { name: "secret", summary: "for us", hidden: true },
  ]);
  assertEquals(help.split(":")[0], "hpktainer 1.2.3");
  assertStringIncludes(help, "  show NAME     show one\n");
  assertStringIncludes(help, "  port COMMAND  change ports\n");
  assertEquals(help.includes("secret"), false);
  for (const { name, value = "" } of NETWORK_OPTIONS) {
    assertStringIncludes(help, `  --${name} ${value}`);
  }
  assertStringIncludes(help, "125 when hpktainer itself fails");
});
