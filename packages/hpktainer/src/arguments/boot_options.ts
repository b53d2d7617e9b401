import { HpkError } from "@hpk/core/errors";
import { type Option, optionNamed } from "@hpk/core/options";

/** Our options of `instance start --boot`; each takes a value. */
export const BOOT_OPTIONS: readonly Option[] = [
  {
    name: "boot-allow",
    value: "UNIT",
    many: true,
    help: "with --boot: do not mask a unit; repeatable",
  },
  {
    name: "boot-timeout",
    value: "SECONDS",
    help: "with --boot: how long to wait for the boot; default: 120",
  },
];

/** Our boot option of that name, if it is one. */
export function bootOption(name: string): Option | undefined {
  return optionNamed(BOOT_OPTIONS, name);
}

/** How to boot an instance. */
export interface BootOptions {
  /** Units, or groups of units, not to mask. */
  readonly allow: readonly string[];
  /** How long to wait for the boot, in seconds. */
  readonly timeout: number;
  /**
   * Whether the image is writable: "as asked" if another option of the user decides, "in place"
   * with --writable, else "not at all".
   */
  readonly writable: "as asked" | "in place" | "not at all";
  /** Capabilities that the user drops, such as "CAP_NET_RAW". */
  readonly dropCapabilities: readonly string[];
  /** Whether the user keeps those that are dropped by default. */
  readonly keepPrivileges: boolean;
  /** Apptainer's configuration file, if the user names one. */
  readonly configuration: string | undefined;
}

const DEFAULT_TIMEOUT_S = 120;

/**
 * Reads the boot options of an instance.
 *
 * @param verb The command, such as "instance start".
 * @param names Apptainer's options that are given, with their last value.
 * @param given Our options, by name and value.
 * @return Undefined if it is not booted.
 * @throws {HpkError} On an invalid value, or a boot option without --boot.
 */
export function readBootOptions(
  verb: string,
  names: ReadonlyMap<string, string>,
  given: readonly (readonly [string, string])[],
): BootOptions | undefined {
  const ours = given.filter(([name]) => bootOption(name) !== undefined);
  const isOn = (name: string): boolean => names.has(name) && names.get(name) !== "false";
  if (!isOn("boot") || !verb.startsWith("instance")) {
    if (ours.length === 0) return undefined;
    throw new HpkError({
      what: `cannot use --${ours[0]![0]}`,
      why: "it is only for booted containers",
      fix: "leave it out, or use it with instance start --boot",
    });
  }
  const values = (name: string) => ours.flatMap(([key, value]) => key === name ? [value] : []);
  return {
    allow: values("boot-allow").flatMap((value) => value.split(",")),
    timeout: readTimeout(values("boot-timeout").at(-1)),
    writable: isOn("writable")
      ? "in place"
      : ["writable-tmpfs", "overlay", "compat"].some(isOn)
      ? "as asked"
      : "not at all",
    dropCapabilities: (names.get("drop-caps") ?? "").split(",").filter((name) => name !== ""),
    keepPrivileges: isOn("keep-privs"),
    configuration: names.get("config"),
  };
}

function readTimeout(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TIMEOUT_S;
  const seconds = Number(text);
  if (/^[0-9]+$/.test(text) && seconds > 0 && seconds <= 3600) return seconds;
  throw new HpkError({
    what: `cannot wait for '${text}' seconds`,
    why: "--boot-timeout takes a whole number from 1 to 3600",
    fix: "give such a number",
  });
}
