/** The demonstration of two hosts, whose transcript is in docs/across-hosts.md. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { machine, testIf } from "../harness/mod.ts";
import { needs } from "../harness/hpktainer.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

testIf({ name: "scripts/cluster-demo shows two hosts whose pods talk", needs }, async () => {
  const { code, stdout, stderr } = await machine.run(`${ROOT}scripts/cluster-demo`, [], {
    timeoutMs: 300_000,
    check: false,
  });
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^host2 {2}198\.51\.100\.12 {2}pods 10\.244\.\d+\.1\/24, MTU 1450$/m);
  assertEquals(stdout.match(/ 0% packet loss/g)?.length, 2, stdout);
  assertMatch(stdout, /^ 3 {2}10\.244\.\d+\.2 /m);
  assertStringIncludes(stdout, "of both hosts are as before");
  const page = await Deno.readTextFile(`${ROOT}docs/across-hosts.md`);
  const headings = (text: string) => text.match(/^== .*$/gm) ?? [];
  // Without flanneld the first line says how the hosts were programmed.
  assertEquals(headings(page).slice(1), headings(stdout).slice(1));
});
