import type { SettingSource } from "@hpk/core";
import { formatTable } from "../../shared/pure/text_table.ts";

/** One thing that a run needs, and whether it is so. */
export interface Check {
  /** Stable name for programs, such as "apptainer". */
  readonly id: string;
  /** "fail" keeps containers from starting, "warn" may surprise. */
  readonly status: "ok" | "warn" | "fail";
  /** What was found. */
  readonly found: string;
  /** What to do; empty where there is nothing to do. */
  readonly fix: string;
}

/** What `doctor --json` gives. The shape is stable: keys are only added. */
export interface DoctorReport {
  /** Version of this shape. */
  readonly version: 1;
  /** Whether no check failed. */
  readonly ok: boolean;
  /** What was checked. */
  readonly checks: readonly Check[];
  /** Every setting. */
  readonly settings: readonly SettingSource[];
}

/** Puts checks and settings together. */
export function reportOf(
  checks: readonly Check[],
  settings: readonly SettingSource[],
): DoctorReport {
  return { version: 1, ok: checks.every(({ status }) => status !== "fail"), checks, settings };
}

/** Shows the report to a person. */
export function formatDoctor(report: DoctorReport): string {
  const checks = report.checks.flatMap(({ id, status, found, fix }) => [
    [status, id, found],
    ...(fix === "" ? [] : [["", "", `-> ${fix}`]]),
  ]);
  const settings = report.settings.map(({ key, value, origin }) => [key, value || "-", origin]);
  return formatTable([["STATUS", "CHECK", "FOUND"], ...checks]) + "\n" +
    formatTable([["SETTING", "VALUE", "FROM"], ...settings]);
}
