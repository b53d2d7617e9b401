/**
 * The helpers that need no namespaces:
 *
 *     eventually, testIf, apptainerEnv, readReport, isStaticElf,
 *     withDependencies: text, bytes and time in, values out
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dropCapsEnv } from "./apptainer_env.ts";
import { eventually } from "./eventually.ts";
import { readReport } from "./iperf.ts";
import { withDependencies } from "./oci_images.ts";
import { machine } from "./place.ts";
import { isStaticElf } from "./skip.ts";

Deno.test("eventually returns the first truthy value, and treats a throw as not yet", async () => {
  let calls = 0;
  const probe = () => {
    calls++;
    if (calls === 1) throw new Error("early");
    return calls === 3 && "done";
  };
  assertEquals(await eventually(probe, { what: "it", intervalMs: 1 }), "done");
  assertEquals(calls, 3);
});

Deno.test("eventually times out with the last reason", async () => {
  const probe = () => {
    throw new Error("not there");
  };
  const options = { what: "link v0", timeoutMs: 20, intervalMs: 5 };
  await assertRejects(
    () => eventually(probe, options),
    Error,
    "link v0: not within 20 ms: not there",
  );
});

Deno.test("only the capabilities that the machine's root lacks are dropped", () => {
  assertEquals(dropCapsEnv("CapBnd:\t000001fffeffffff\n"), {
    APPTAINER_DROP_CAPS: "CAP_SYS_RESOURCE",
  });
  assertEquals(dropCapsEnv("CapBnd:\t000000fffeffffff\n"), {
    APPTAINER_DROP_CAPS: "CAP_SYS_RESOURCE,CAP_CHECKPOINT_RESTORE",
  });
  assertEquals(dropCapsEnv("CapBnd:\t000001ffffffffff\n"), {});
  assertThrows(() => dropCapsEnv("Name: x\n"), Error, "CapBnd");
});

Deno.test("an iperf3 report gives its numbers, its error, or a clear complaint", () => {
  const report = { end: { sum_received: { bits_per_second: 5e9 }, sum_sent: { retransmits: 2 } } };
  assertEquals(readReport(JSON.stringify(report)), { bitsPerSecond: 5e9, retransmits: 2 });
  assertThrows(() => readReport('{"error":"refused"}'), Error, "iperf3: refused");
  assertThrows(() => readReport("{}"), Error, "no result");
  assertThrows(() => readReport("oops"), Error, "not a report: oops");
});

Deno.test("isStaticElf accepts a static program, but not one that needs a loader or another file", () => {
  const file = new Uint8Array(64 + 56);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2]);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  assertEquals(isStaticElf(file), true);
  view.setUint32(64, 3, true);
  assertEquals(isStaticElf(file), false);
  assertEquals(isStaticElf(file.subarray(0, 100)), false);
  assertEquals(isStaticElf(new TextEncoder().encode("#!/bin/sh\n".padEnd(200))), false);
});

Deno.test("a test without its needs is skipped with a reason and counted", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${dir}/skip_test.ts`,
      `import { testIf } from ${JSON.stringify(new URL("./skip.ts", import.meta.url).href)};
       testIf({ name: "runs", needs: [{ ok: true, what: "x" }] }, () => {});
       testIf({ name: "skips", needs: [{ ok: false, what: "no tool" }, { ok: true, what: "x" }] }, () => {});`,
    );
    const args = ["test", "--no-check", "--no-config", "--allow-all", `${dir}/skip_test.ts`];
    const { stdout, stderr } = await machine.run(Deno.execPath(), args, { env: { NO_COLOR: "1" } });
    assert(`${stdout}${stderr}`.includes("SKIP skips: no tool\n"), `${stdout}${stderr}`);
    assert(stdout.includes("1 passed | 0 failed | 1 ignored"), stdout);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("packages come with what they depend on, by whatever provides it", () => {
  const installed = [
    "shell\tlibc (>= 2), \tsh",
    "libc\t, gcc-base:any (= 14)\t",
    "gcc-base\t, libc\t",
    "tool\t, none | awk, sh\t",
    "mawk\t, libc\tawk (= 1)",
    "other\t, \t",
  ].join("\n");
  assertEquals(withDependencies(["shell", "tool", "missing"], installed), [
    ...["shell", "libc", "gcc-base", "tool", "mawk"],
  ]);
});
