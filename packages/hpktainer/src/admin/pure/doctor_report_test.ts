import { assertEquals } from "@std/assert";
import { type Check, formatDoctor, reportOf } from "./doctor_report.ts";

const OK: Check = { id: "root", status: "ok", found: "uid 0", fix: "" };
const WARN: Check = { id: "dns", status: "warn", found: "no server", fix: "use --dns" };
const FAIL: Check = { id: "ip", status: "fail", found: "not installed", fix: "install iproute2" };

Deno.test("reportOf() is ok unless a check failed", () => {
  const cases: [Check[], boolean][] = [[[], true], [[OK, WARN], true], [[OK, FAIL, WARN], false]];
  for (const [checks, ok] of cases) {
    assertEquals(reportOf(checks, []), { version: 1, ok, checks, settings: [] });
  }
});

Deno.test("formatDoctor() shows findings, fixes, and where settings come from", () => {
  const report = reportOf([OK, FAIL], [
    { key: "bridge", value: "hpk-bridge", origin: "default" },
    { key: "subnet", value: "", origin: "default" },
    { key: "mtu", value: "1400", origin: "environment HPK_MTU" },
  ]);
  assertEquals(
    formatDoctor(report),
    "STATUS  CHECK  FOUND\n" +
      "ok      root   uid 0\n" +
      "fail    ip     not installed\n" +
      "               -> install iproute2\n" +
      "\n" +
      "SETTING  VALUE       FROM\n" +
      "bridge   hpk-bridge  default\n" +
      "subnet   -           default\n" +
      "mtu      1400        environment HPK_MTU\n",
  );
});
