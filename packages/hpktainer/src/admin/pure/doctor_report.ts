import type { SettingSource } from "@hpk/core";
import { formatTable } from "../../shared/pure/text_table.ts";

/** A prerequisite of a run, and whether it is met. */
export interface Check {
  /** Stable name for programs, such as "apptainer". */
  readonly id: string;
  /** "fail" prevents containers from starting, "warn" limits what they can do. */
  readonly status: "ok" | "warn" | "fail";
  /** What was found. */
  readonly found: string;
  /** What to do; empty if nothing needs doing. */
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

/** Combines checks and settings into a report. */
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
