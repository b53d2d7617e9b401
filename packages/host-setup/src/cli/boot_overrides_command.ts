import { writeOverrides } from "../boot_overrides.ts";
import { formatOverrides, overridesToJson } from "../pure/boot_overrides.ts";

/** Options of `host-setup boot-overrides`. */
export interface OverrideOptions {
  /** The directory to write to. */
  readonly dest: string;
  /** Units that run although they would be masked. */
  readonly allow?: readonly string[];
  readonly json?: true;
}

/**
 * Runs `host-setup boot-overrides`.
 *
 * @throws {HpkError} When a unit is unknown, or the directory cannot be written.
 */
export function runBootOverrides(
  _context: undefined,
  { dest, allow = [], json }: OverrideOptions,
): void {
  const { overrides, changed } = writeOverrides(dest, allow);
  console.log(
    json
      ? JSON.stringify(overridesToJson(overrides, changed), undefined, 2)
      : formatOverrides(overrides, changed).trimEnd(),
  );
}
