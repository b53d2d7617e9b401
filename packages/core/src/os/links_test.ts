import { assertEquals } from "@std/assert";
import { parseLinks, parseRoutes } from "../model/host_facts.ts";
import { loadLibc } from "../testing/libc.ts";
import { runOrThrow } from "./command.ts";
import { readHostFacts } from "./links.ts";
import { PROGRAMS, requireProgram } from "./programs.ts";

loadLibc();

Deno.test("readHostFacts() agrees with ip(8)", async () => {
  const ip = requireProgram(PROGRAMS.ip);
  const facts = readHostFacts([]);
  const links = parseLinks(await runOrThrow(ip, ["-json", "-details", "address", "show"]));
  const known = new Set(facts.links.map(({ name }) => name));
  assertEquals(facts.links, links.filter(({ name }) => known.has(name)));
  assertEquals(known.has("lo"), true);
  assertEquals(
    facts.routes,
    parseRoutes(await runOrThrow(ip, ["-json", "-4", "route", "show"])),
  );
});
